// What a socket and a stream of events have in common: when a connection may be made, when it has to be made anew, and when it
// is over for good.

import { backoff } from '../../state/expiry.ts'
import { type Break, watchWake } from './wake.ts'
import { followOwner, internalsOf, type Over, type StreamSession } from './owner.ts'

/** Why a connection is given up, and another one made. `organization`: the user has switched. */
export type Renewal = Break | 'organization'

export interface StreamHandlers {
  /** Nobody may use it any more. Called once. */
  over(why: Over): void
  /** A connection that is there has to be made anew. */
  renew(why: Renewal): void
  /** The session has changed, maybe its token. */
  changed?(): void
}

export interface Stream {
  /** Aborted once it is over, or stopped. */
  readonly stopped: AbortSignal
  /** Whether the owner is signed in, the network is there, and the pause is over. */
  mayConnect(): boolean
  /** Until a connection may be made. False: it is over, or stopped. */
  untilMayConnect(): Promise<boolean>
  /** The next connection comes soon, yet not at the same moment in every tab. */
  pauseBriefly(): void
  /** A connection has ended that lived for so long, 0 for one that never came about. The next one waits. @returns whether it had lived. */
  ended(livedMs: number): boolean
  stop(): void
}

/** A connection that ends sooner has cured nothing: its server may take connections only to close them. */
const MIN_LIFE_MS = 10_000
// Where many pages come back at once, their connections don't.
const MAX_JITTER_MS = 1_000

export function createStream(session: StreamSession, { over, renew, changed }: StreamHandlers): Stream {
  const { runtime } = internalsOf(session)
  const { clock } = runtime
  const controller = new AbortController()
  const stopped = controller.signal
  const stop = (): void => controller.abort()
  let failures = 0
  let dueAt = 0
  let lookAgain = (): void => {}

  /** What the connection was made for has changed: the next one comes soon. */
  function renewSoon(why: Renewal): void {
    pauseBriefly()
    renew(why)
    lookAgain()
  }

  function pauseBriefly(): void {
    dueAt = clock.mono() + clock.random() * MAX_JITTER_MS
  }

  const mayConnect = (): boolean => isOwnerHere() && isOnline() && clock.mono() >= dueAt

  function wake(why: Break | null): void {
    if (why) return renewSoon(why)
    dueAt = Math.min(dueAt, clock.mono() + clock.random() * MAX_JITTER_MS)
    lookAgain()
  }

  const isOwnerHere = followOwner(session, stopped, {
    over(why) {
      stop()
      over(why)
    },
    switched: () => renewSoon('organization'),
    changed() {
      lookAgain()
      changed?.()
    },
  })
  const { isOnline } = watchWake(runtime, stopped, wake)
  stopped.addEventListener('abort', () => lookAgain())

  /** Until something has changed, or `ms` have passed. */
  function untilNews(ms: number): Promise<void> {
    return new Promise((done) => {
      const stopTimer = ms > 0 ? clock.after(ms, done) : undefined
      lookAgain = () => {
        stopTimer?.()
        done()
      }
    })
  }

  return {
    stopped,
    stop,
    mayConnect,
    pauseBriefly,
    async untilMayConnect() {
      while (!mayConnect() && !stopped.aborted) await untilNews(dueAt - clock.mono())
      return !stopped.aborted
    },
    ended(livedMs) {
      const hasLived = livedMs >= MIN_LIFE_MS
      failures = hasLived ? 1 : failures + 1
      dueAt = clock.mono() + backoff(failures, clock.random())
      return hasLived
    },
  }
}
