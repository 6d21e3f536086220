// What the app calls, from asking to settling, and maybe aborted in between.

import type { Clock } from './clock.ts'
import type { Call, Publish } from './facts.ts'
import type { Server } from './server.ts'
import type { Stage } from './stage.ts'

interface CallsOptions {
  readonly clock: Clock
  readonly server: Server
  readonly calls: Call[]
  note(text: string): void
  readonly publish: Publish
}

export const createCalls =
  ({ clock, server, calls, note, publish }: CallsOptions): Stage['call'] =>
  (tab, kind, run, abortAfter) => {
    const abort = abortAfter === undefined ? null : new AbortController()
    const view = tab.session.current
    const call: Call = {
      id: String(calls.length),
      kind,
      tab,
      at: clock.time,
      view,
      edition: view.claims ? server.editionOf(view.claims.sub) : 0,
      abort,
      abortedAt: Infinity,
      settledAt: Infinity,
      value: null,
      error: null,
    }
    calls.push(call)
    note(`tab ${tab.id} calls ${call.id} ${kind}`)
    publish('called', call)

    const settle = (how: Partial<Call>, text: string): void => {
      Object.assign(call, how, { settledAt: clock.time })
      note(`${call.id} settles: ${text}`)
      publish('settled', call)
    }
    run(call.id, abort?.signal).then(
      (value) => settle({ value }, typeof value === 'number' ? String(value) : typeof value),
      (error: unknown) => {
        publish('told', logged(error))
        settle({ error }, String(error))
      },
    )
    if (!abort) return
    clock.at(abortAfter!, tab, () => {
      if (call.settledAt < Infinity) return
      note(`${call.id} is aborted`)
      call.abortedAt = clock.time
      abort.abort(new Error('enough'))
      clock.at(0, null, () => publish('aborted', call))
    })
  }

/** An error as it would be written to a log. */
export function logged(error: unknown): string {
  const { message, cause } = error as Error
  return cause ? `${message} ${logged(cause)}` : message
}
