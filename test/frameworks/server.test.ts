// On a server: importing any entry looks at no page, opens nothing, and leaves nothing behind that keeps the process alive.

import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { entry } from '../../tsup.config.ts'
import { bundle, folder } from './support/bundle.ts'

const cache = join(folder, `node_modules/.cache/resesh-server-${process.pid}`)
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** What packages of others look for; where that is nothing, they know that they are on a server. */
const ofOthers: Record<string, string[]> = {
  'adapters/vue': ['window', 'document'],
  'adapters/svelte': ['document'],
  'adapters/angular': ['location', 'document'],
  'testing/server': ['localStorage'],
}

/** Notes what is used, and at the end says what is left. */
const watch = `
  const used = []
  for (const name of ['window', 'document', 'location', 'localStorage', 'sessionStorage', 'indexedDB'])
    Object.defineProperty(globalThis, name, { configurable: true, get: () => void used.push(name) })
  for (const name of ['fetch', 'setTimeout', 'setInterval', 'addEventListener', 'BroadcastChannel']) {
    const real = globalThis[name]
    globalThis[name] = function (...args) {
      used.push(name)
      return new.target ? new real(...args) : real(...args)
    }
  }
  globalThis.used = used
`
const report = `
  const left = process.getActiveResourcesInfo().filter((name) => !/^(Pipe|TTY|FS)/.test(name))
  process.stdout.write(JSON.stringify({ used: globalThis.used, left }))
`

test.each(Object.entries(entry))('%s', { timeout: 60_000 }, async (name, source) => {
  mkdirSync(cache, { recursive: true })
  const file = join(cache, `${name.replaceAll('/', '-')}.cjs`)
  writeFileSync(
    file,
    watch +
      (await bundle(`import * as entry from '../../${source}'; Object.assign(globalThis, { entry })`, {
        server: true,
      })) +
      report,
  )
  // Ended by force after that time, which would be an error.
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 20_000 })
  expect(JSON.parse(stdout)).toEqual({ used: ofOthers[name] ?? [], left: [] })
})
