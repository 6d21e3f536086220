import type { Reporter, SerializedError, TestModule } from 'vitest/node'

// Ends a run with `N passed, N failed`, which other tools read. What is neither counts as failed unless it was skipped:
// a file that didn't load, an error outside a test, a test that never ended.
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<SerializedError>): void {
    let passed = 0
    let skipped = 0
    let failed = errors.length

    for (const module of modules) {
      let failedHere = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed++
        else if (state === 'skipped') skipped++
        else failedHere++
      }
      if (failedHere === 0 && module.state() === 'failed') failedHere = 1
      failed += failedHere
    }

    // On exit, so that it stays the last line after coverage tables and the like.
    process.once('exit', () => {
      const skips = skipped ? `, ${skipped} skipped` : ''
      process.stdout.write(`${passed} passed, ${failed} failed${skips}\n`)
    })
  }
}
