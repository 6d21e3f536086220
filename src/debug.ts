// Says in the console what a session does, in plain sentences, and warns of what is almost surely a mistake. Nothing of it
// belongs into a production bundle: `if (import.meta.env.DEV) import('resesh/debug').then(({ debug }) => debug(session))`.

import { describeStart } from './debug/start.ts'
import { noteTrace, remember } from './debug/history.ts'
import { insideOf } from './debug/inside.ts'
import { createMistakes, type Warn } from './debug/mistakes.ts'
import { isEnabled, readEnabled } from './debug/namespaces.ts'
import { createNarrator } from './debug/narrator.ts'
import { createOutage } from './debug/outage.ts'
import type { Topic } from './debug/talks.ts'
import { measureSession } from './debug/timing.ts'
import { withoutTokens } from './debug/words.ts'
import type { Session } from './face.ts'
import { assertKnown, type Names } from './known-options.ts'
import type { Undo } from './seam/io.ts'
import type { Trace } from './seam/trace.ts'
import type { Events } from './session/events.ts'

export { explain, type Explanation, type ExplanationCode, type FailureCause } from './debug/explain.ts'

export interface DebugOptions {
  /**
   * Whether to write. Left out: if `localStorage.debug` names `resesh:request`, `resesh:refresh`, `resesh:session` or
   * `resesh:warning`, as `resesh:*` does. As with the package `debug`: `*` stands for anything, `-` leaves out, and a change
   * counts after a reload.
   */
  on?: boolean
  /** Where the lines are written. @default the console of the page */
  console?: Pick<Console, 'log' | 'warn'>
}

const OPTIONS: Names<DebugOptions> = { on: true, console: true }
const undoOf = new WeakMap<object, Undo>()

/**
 * Writes what the session does, one line for each thing that happens. URLs are without their query, and no line holds a token.
 * Warns once of each likely mistake, and says what to do. A second call for the same session replaces the first.
 *
 * @returns a function that stops it; `session.dispose()` stops it, too.
 * @example
 * debug(session)               // silent until localStorage.debug = 'resesh:*'
 * debug(session, { on: true })
 */
export function debug<U, C>(session: Session<U, C>, options: DebugOptions = {}): Undo {
  const { get } = insideOf(session)
  assertKnown('debug', options, OPTIONS)
  undoOf.get(session)?.()
  const watched = session as unknown as Session
  const undos = [remember(watched)]
  const enabled = options.on === undefined ? readEnabled(get) : ''
  const isOn = (namespace: string): boolean => options.on ?? isEnabled(enabled, namespace)
  if (['request', 'refresh', 'session', 'warning'].some((topic) => isOn(`resesh:${topic}`)))
    undos.push(...write(watched, isOn, options.console ?? get('console')!))
  function undo(): void {
    undos.splice(0).forEach((each) => each())
    if (undoOf.get(session) === undo) undoOf.delete(session)
  }
  undoOf.set(session, undo)
  return undo
}

function write(session: Session, isOn: (namespace: string) => boolean, console: Pick<Console, 'log' | 'warn'>): Undo[] {
  const { about, get } = insideOf(session)
  const told = new Set<string>()

  function say(topic: Topic, sentence: string): void {
    if (isOn(`resesh:${topic}`)) console.log(`resesh:${topic} ${withoutTokens(sentence)}`)
  }

  const warn: Warn = (key, sentence) => {
    if (told.has(key) || !isOn('resesh:warning')) return
    told.add(key)
    console.warn(`resesh:warning ${withoutTokens(sentence)}`)
  }

  const narrate = createNarrator(say, about.page)
  const errors = createOutage()
  const mistakes = createMistakes(
    about,
    () => session.current,
    () => get('navigator')?.onLine === false,
    warn,
  )
  const undos = [
    session.on('trace', (trace) => {
      noteTrace(session, trace)
      narrate(trace)
      if (hasWorked(trace)) errors.end(trace.at)
      mistakes.onTrace(trace)
    }),
    session.on('change', (change) => {
      say('session', changeText(change))
      mistakes.onChange(change)
    }),
    session.on('error', ({ error }) => {
      // The same failure comes again with each try.
      const isNews = errors.fail(`${error.code} ${error.message}`, 0)
      if (isNews && isOn('resesh:warning')) console.warn(`resesh:error ${error.code}: ${withoutTokens(error.message)}`)
    }),
    measureSession(session, get('performance')),
  ]
  say('session', describeStart(session))
  mistakes.begin(get('isSecureContext'))
  return undos
}

const BY = { 'this-tab': 'this tab', 'other-tab': 'another tab', server: 'the server' } as const

function changeText({ current, previous, reason, source, changed }: Events['change']): string {
  const by = `(${reason}, by ${BY[source]})`
  if (current.status !== previous.status) return `${previous.status} → ${current.status} ${by}`
  if (current.stale && !previous.stale)
    return 'session.current.stale is true: a refresh is due, but fails. The user stays signed in, and the session tries again.'
  const names = changed.filter((name) => name !== 'reason' || changed.length === 1)
  return `session.current: ${names.join(', ')} changed ${by}`
}

/** Whether the session knows again how it is: the outage is over. */
const hasWorked = (trace: Trace): boolean =>
  (trace.type === 'refresh-end' || trace.type === 'exchange-end') &&
  trace.outcome !== 'failed' &&
  trace.outcome !== 'postponed'
