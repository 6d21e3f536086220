// Says in the console what a session does, in plain sentences, and warns of what is almost surely a mistake. Nothing of it
// belongs into a production bundle: `if (import.meta.env.DEV) import('resesh/debug').then(({ debug }) => debug(session))`.

import { noteTrace, remember } from './debug/history.ts'
import { type About, insideOf } from './debug/inside.ts'
import { createMistakes, type Warn } from './debug/mistakes.ts'
import { isEnabled, readEnabled } from './debug/namespaces.ts'
import { createNarrator, type Topic } from './debug/narrator.ts'
import { measureSession } from './debug/timing.ts'
import { withoutTokens } from './debug/words.ts'
import type { Session } from './face.ts'
import type { Undo } from './seam/io.ts'

export { explain, type Explanation, type ExplanationCode, type FailureCause } from './debug/explain.ts'

export interface DebugOptions {
  /**
   * Whether to write at all. Left out: where `localStorage.debug` names `resesh:request`, `resesh:refresh`, `resesh:session` or
   * `resesh:warning`, as `resesh:*` does. As with the package `debug`: `*` stands for anything, `-` leaves out, and a change
   * counts after a reload.
   */
  on?: boolean
  /** Where to. @default the console of the page */
  console?: Pick<Console, 'log' | 'warn'>
}

/** Sessions that are looked at, by what makes them one session for all tabs. */
const looking = new Map<string, Set<{ readonly disposed: AbortSignal }>>()
const undoOf = new WeakMap<object, Undo>()

/**
 * Writes what the session does, one line for each thing that happens. URLs are without their query, and no line holds a token.
 * Each mistake is told once, with its cure. A second call for the same session takes the place of the first.
 *
 * @returns what ends it; `session.dispose()` does, too.
 * @example
 * debug(session)               // silent until localStorage.debug = 'resesh:*'
 * debug(session, { on: true })
 */
export function debug<U, C>(session: Session<U, C>, options: DebugOptions = {}): Undo {
  const { get } = insideOf(session)
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
  const { about, get, disposed } = insideOf(session)
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
  const mistakes = createMistakes(about, () => session.current, warn)
  const undos = [
    session.on('trace', (trace) => {
      noteTrace(session, trace)
      narrate(trace)
      mistakes.onTrace(trace)
    }),
    session.on('change', (change) => {
      const { current, previous, reason, source, changed } = change
      const what =
        current.status === previous.status ? `${changed.join(', ')} changed` : `${previous.status} → ${current.status}`
      say('session', `${what} (${reason}, by ${BY[source]})`)
      mistakes.onChange(change)
    }),
    session.on('error', ({ error }) => {
      if (isOn('resesh:warning')) console.warn(`resesh:error ${error.code}: ${withoutTokens(error.message)}`)
    }),
    measureSession(session, get('performance')),
    register(about, disposed, warn),
  ]
  mistakes.begin(get('isSecureContext'))
  return undos
}

const BY = { 'this-tab': 'this tab', 'other-tab': 'another tab', server: 'the server' } as const

/** Two sessions that share lock, channel and record live in one page. */
function register({ key, name }: About, disposed: AbortSignal, warn: Warn): Undo {
  const same = looking.get(key) ?? new Set()
  looking.set(key, same)
  const own = { disposed }
  for (const other of same) if (other.disposed.aborted) same.delete(other)
  if (same.size > 0)
    warn(
      'two-sessions',
      `Two sessions of the name '${name}' for the same server live in this page: each answers for the other's requests, and a refresh of one surprises the other. Call createSession once, in a module that others import; or give them two names: createSession({ name: 'second' }). One that is not needed any more ends with session.dispose().`,
    )
  same.add(own)
  return () => same.delete(own)
}
