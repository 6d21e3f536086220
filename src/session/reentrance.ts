// Code of the app that the session itself waits for: a login function, a call of the backend, its `attach`. If the session held
// what such code asks of it, the two would wait for each other. A browser does not tell which code a request comes from, so that
// this is known by time: of a login function while it runs, of the backend while it is being called.

import { RefreshFailedError } from '../errors.ts'

export interface Reentrance {
  /** The backend, or its `attach`, is being called right now: a request that begins is its own, and is plain fetch. */
  readonly isBackendAsking: boolean
  /** A login function runs: no request that begins meanwhile waits for the session. */
  readonly isLoggingIn: boolean
  /** Runs code that only prepares a request: it may wait for the session. */
  attach<T>(run: () => T): T
  /** Calls the backend, under the lock. */
  callBackend<T>(run: () => T): T
  /** Runs a login function, under the lock. */
  logIn<T>(run: () => Promise<T>): Promise<T>
  /** Whether a method that is called now, and waits for the lock, would wait for its own caller. */
  mustNotWait(): boolean
  /**
   * To be asked as a method is called.
   * @returns what the method calls before it waits for the lock. @throws RefreshFailedError where it would wait for its caller.
   */
  startCall(method: string): () => void
}

export function createReentrance(): Reentrance {
  const depth = { attach: 0, backend: 0, login: 0 }

  function during<T>(kind: keyof typeof depth, run: () => T): T {
    depth[kind]++
    try {
      return run()
    } finally {
      depth[kind]--
    }
  }

  const mustNotWait = (): boolean => depth.backend + depth.login > 0

  return {
    get isBackendAsking() {
      return depth.attach + depth.backend > 0
    },
    get isLoggingIn() {
      return depth.login > 0
    },
    attach: (run) => during('attach', run),
    callBackend: (run) => during('backend', run),
    async logIn(run) {
      depth.login++
      try {
        return await run()
      } finally {
        depth.login--
      }
    },
    mustNotWait,
    startCall(method) {
      const isFromBackend = depth.backend > 0
      const isInLogin = depth.login > 0
      return () => {
        if (isFromBackend) throw wouldWaitForItself(method, 'the backend is being called')
        if (isInLogin && depth.login) throw wouldWaitForItself(method, 'a login function of signIn() runs')
      }
    },
  }
}

const wouldWaitForItself = (method: string, why: string): RefreshFailedError =>
  new RefreshFailedError(
    `${method}: can't wait here, because ${why}, and the two would wait for each other. The session is kept.`,
  )
