// What separate imports, such as `installFetch` and `debug`, know of a session beyond its public methods. They find it by two
// symbols of the global registry, because a page may load two copies of the SDK.

import type { AnySessionError } from './errors.ts'
import type { Globals } from './runtime/globals.ts'
import type { Runtime } from './runtime/ports.ts'
import type { Fetch } from './seam/io.ts'
import type { Version } from './state/record.ts'

/** The key under which resesh/xhr passes a transport for one request, in place of the real fetch. */
export const transportKey: unique symbol = Symbol.for('resesh.via')

/** What the functions of a session need of it, such as `installFetch` and `openSocket`. */
export const internalsKey: unique symbol = Symbol.for('resesh.internals')

interface Held {
  /** What the last refresh, or the last question who is signed in, failed with; `null` once one has worked. */
  readonly lastFailure: unknown
  /** Whether there is anything to ask for new credentials with, such as a refresh token; true where nobody is signed in. */
  readonly canRefresh: boolean
  /** The number of the token, for traces; `null`: none. */
  readonly tokenNumber: number | null
  /** When the access token was received, in monotonic ms. */
  readonly receivedAtMono: number
}

export interface SessionInternals {
  /** Sets the fetch below a patch; without an argument, the session uses the platform's own. */
  setTransport(below?: Fetch): void
  readonly disposed: AbortSignal
  readonly global: typeof globalThis
  /** Reads a global as the session does: from its platform, if that has it. */
  readonly get: Globals
  /** Which session it is, where its credentials may go, and whose it is. */
  readonly about: {
    readonly name: string
    /** The name of the lock, channel and record that tabs share: sessions with equal keys are one session. */
    readonly key: string
    readonly backend: string
    readonly origins: readonly string[]
    /** The origin of the page, where there is one. */
    readonly page: string | undefined
    /** What this tab holds. */
    readonly store: Held
    /** Whether another session of this page shares with this one what is stored, as another tab does. */
    hasTwin(): boolean
  }
  /** Whether credentials may go to a URL. */
  isAllowed(url: string): boolean
  /** Emits an `error` event. */
  tell(error: AnySessionError): void
  readonly runtime: Pick<Runtime<unknown>, 'base' | 'clock' | 'get'>
  /** The version of the credentials that the session holds. */
  readonly version: Version
  /**
   * Resolves once the session has newer credentials than this version, which the server has refused. Shares the refresh of
   * refused requests.
   * @throws SessionError
   */
  renew(refused: Version): Promise<unknown>
}
