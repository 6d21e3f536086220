// What `explain` remembers of a session beyond its state: the last error, how the last refresh ended, and who caused the last
// change. Only while `debug` or the devtools watch the session.

import type { AnySessionError } from '../errors.ts'
import type { Session } from '../face.ts'
import type { Trace } from '../seam/trace.ts'
import type { Undo } from '../seam/io.ts'
import type { Source } from '../session/events.ts'
import { insideOf } from './inside.ts'

type Of<T extends Trace['type']> = Extract<Trace, { type: T }>

export interface History {
  /** Of the last change of the state. */
  source?: Source
  error?: AnySessionError
  refresh?: Of<'refresh-end'>
  /** The last answer to a request of the session's own. */
  answer?: Of<'answer'> | undefined
  /** Whether the last token could be renewed at all. */
  canRefresh?: boolean
}

const histories = new WeakMap<object, History>()

/** Empty if neither `debug` nor the devtools watched the session. */
export const historyOf = (session: object): Readonly<History> => histories.get(session) ?? {}

/** Remembers from now on. Traces come from the tools that listen to them anyway: see {@link noteTrace}. */
export function remember(session: Pick<Session, 'on' | 'current'>): Undo {
  const history = histories.get(session) ?? {}
  histories.set(session, history)
  const { store } = insideOf(session).about
  function noteState(): void {
    if (session.current.status === 'authenticated') history.canRefresh = store.canRefresh
  }
  noteState()
  const undos = [
    session.on('change', ({ source }) => {
      history.source = source
      noteState()
    }),
    session.on('error', ({ error }) => void (history.error = error)),
  ]
  return () => undos.forEach((undo) => undo())
}

/** Adds what a trace says to the history of its session, if `remember` was called for the session. */
export function noteTrace(session: object, trace: Trace): void {
  const history = histories.get(session)
  if (!history) return
  if (trace.type === 'refresh-start') history.answer = undefined
  if (trace.type === 'refresh-end') history.refresh = trace
  if (trace.type === 'answer') history.answer = trace
}
