// One conversation with the backend, however many calls it takes: the transport it gets, and what its failure means.

import { InvalidTokenError, RefreshFailedError, SessionError } from '../errors.ts'
import type { Backend, Io, World } from '../ports.ts'
import { orLate } from '../wait.ts'

export interface Call<T> {
  /** The backend's answer, however late. Rejects only with a {@link SessionError}. */
  readonly answer: Promise<T>
  /** The answer in time. @throws RefreshTimeoutError at the deadline; `answer` may still come. */
  readonly inTime: Promise<T>
  /** The last response the backend saw. */
  readonly seen: { last?: Response }
}

const LONGEST_KEPT_ALIVE = 60_000

/** @param keep What the backend has before it is done. */
export type Caller<U> = <T>(run: (io: Io<U>) => Promise<T>, attemptId?: string, keep?: Io<U>['keep']) => Call<T>

export const createCaller =
  <U>(world: World<U>, { name, cookies = false }: Backend<U>, timeout: number): Caller<U> =>
  <T>(run: (io: Io<U>) => Promise<T>, attemptId = '', keep: Io<U>['keep'] = () => {}) => {
    const stop = new AbortController()
    const { signal } = stop
    const seen: Call<T>['seen'] = {}

    const io: Io<U> = {
      signal,
      attemptId,
      now: world.now,
      cookie: world.cookie,
      keep,
      fetch: async (input, init) =>
        (seen.last = await world.fetch(input, {
          redirect: 'error', // a login page must not pass for an answer, nor a refresh token follow a redirect
          cache: 'no-store',
          // A closing page would lose the cookie; with tokens in the body, the page that could read them is gone anyway. Fetch
          // refuses it to bodies of more than 64 KiB.
          keepalive: cookies && ((init?.body as string | undefined)?.length ?? 0) < LONGEST_KEPT_ALIVE,
          signal,
          session: false, // nor the business of another copy of the SDK, if its patch is what lies below
          ...init,
        } as RequestInit)),
    }

    // One that throws before it awaits is no different from one that rejects.
    const answer = (async () => run(io))().catch((cause: unknown): never => {
      if (cause instanceof SessionError && !(cause instanceof InvalidTokenError)) throw cause
      throw new RefreshFailedError(`${name}: no answer`, { cause, response: seen.last })
    })
    const inTime = orLate(answer, world, timeout, `${name}: no answer within ${timeout} ms`)
    inTime.catch(() => {})
    const disarm = world.after(2 * timeout, () => stop.abort()) // a late answer is welcome for as long again
    void answer.then(disarm, disarm)
    return { answer, inTime, seen }
  }
