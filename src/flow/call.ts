// One conversation with the backend, however many calls it takes: the transport it gets, and what its failure means.

import type { Credentials } from '../core/credentials.ts'
import { InvalidTokenError, RefreshFailedError, RefreshTimeoutError, SessionError } from '../errors.ts'
import type { Backend, Io, World } from '../ports.ts'
import { orLate } from '../wait.ts'

export interface Call<U, T> {
  /** The backend's answer, however late. Rejects only with a {@link SessionError}. */
  readonly answer: Promise<T>
  /** The answer in time. @throws RefreshTimeoutError at the deadline; `answer` may still come. */
  readonly inTime: Promise<T>
  /** The last response the backend saw. */
  readonly last: Response | undefined
  /** What the backend gave into keeping before it was done. */
  readonly kept: Credentials<U> | undefined
  abort(): void
}

export type Caller<U> = <T>(run: (io: Io<U>) => Promise<T>, attemptId?: string) => Call<U, T>

export function createCaller<U>(world: World<U>, backend: Backend<U>, timeout: number): Caller<U> {
  return <T>(run: (io: Io<U>) => Promise<T>, attemptId = ''): Call<U, T> => {
    const controller = new AbortController()
    const { signal } = controller
    let last: Response | undefined
    let kept: Credentials<U> | undefined

    const io: Io<U> = {
      cookie: world.cookie,
      keep: (credentials) => (kept = credentials),
      signal,
      attemptId,
      now: world.clock.now,
      async fetch(input, init) {
        const response = await world.fetch(input, {
          redirect: 'error', // a login page must not pass for an answer, nor a refresh token follow a redirect
          cache: 'no-store',
          // A closing page would lose the cookie; with tokens in the body, the page that could read them is gone anyway.
          keepalive: backend.cookies === true,
          signal,
          ...init,
        })
        return (last = response)
      },
    }

    const answer = invoke(run, io).catch((error: unknown): never => {
      if (isSaid(error)) throw error
      throw new RefreshFailedError(`${backend.name}: it could not be found out whether the session lives`, {
        cause: error,
        response: last,
      })
    })
    const inTime = orLate(answer, world.clock, timeout, () => {
      // It had its deadline; a late answer is welcome for as long again.
      world.clock.after(timeout, () => controller.abort())
      return new RefreshTimeoutError(`${backend.name}: no answer within ${timeout} ms`)
    })
    answer.catch(() => {})
    inTime.catch(() => {})
    return {
      answer,
      inTime,
      get last() {
        return last
      },
      get kept() {
        return kept
      },
      abort: () => controller.abort(),
    }
  }
}

// A backend that throws before it awaits is no different from one that rejects.
const invoke = async <T, I>(run: (io: I) => Promise<T>, io: I): Promise<T> => await run(io)

const isSaid = (error: unknown): error is SessionError =>
  error instanceof SessionError && !(error instanceof InvalidTokenError)
