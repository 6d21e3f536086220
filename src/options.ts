// What an app may set, with every default, and what makes no sense.

import type { Credentials, Json } from './core/credentials.ts'
import { InvalidOptionError } from './errors.ts'
import type { RefreshAfter } from './flow/after.ts'
import type { Replay } from './outgoing.ts'
import type { RefreshAhead } from './flow/schedule.ts'
import type { Awaitable, Backend, Platform, RequestView } from './ports.ts'

export interface SessionOptions<U = Json, _C = Json> {
  /** Speaks your server's protocol: one of `resesh/backends/*`, or an object of your own. */
  backend: Backend<U>
  /** Exact origins that the app's requests may carry credentials to. @default the page's own and the backend's */
  origins?: readonly string[]
  /** What a server-rendered page already knows, `null` for nobody: there is no `loading` then. */
  initial?: Credentials<U> | null
  /** How long before its expiry a token counts as spent, in ms; at most a quarter of its life. Not negative. @default 10_000 */
  leeway?: number
  /** ms for one refresh, all its calls and their bodies. @default 10_000 */
  timeout?: number
  /** Whether to refresh shortly before expiry: while the page is visible, always, or never. @default 'visible' */
  refreshAhead?: RefreshAhead
  /** Which responses say that the token is not accepted: status codes, or a look at the response. @default the backend's, else 401 */
  isExpired?: readonly number[] | ((response: Response, request: RequestView) => Awaitable<boolean>)
  /** Which requests are sent again after an expired response. @default 'auto' */
  replay?: Replay
  /** Requests after which the token or the user has changed. */
  refreshAfter?: readonly RefreshAfter[]
  /** ms in which the server forgives a second use of a refresh token. @default the backend's, else 0 */
  replayWindow?: number
  /** Everything the SDK touches. Left out: the real one, read at call time. `null`: absent. */
  platform?: Platform
}

export interface Settings<U> {
  backend: Backend<U>
  origins: ReadonlySet<string>
  initial: Credentials<U> | null | undefined
  leeway: number
  timeout: number
  refreshAhead: RefreshAhead
  isExpired(response: Response, request: RequestView): Awaitable<boolean>
  replay: Replay
  refreshAfter: readonly RefreshAfter[]
  replayWindow: number
}

/** @throws {@link InvalidOptionError} naming the option. */
export function settle<U, C>(options: SessionOptions<U, C>, pageOrigin: string | undefined): Settings<U> {
  const {
    backend,
    leeway = 10_000,
    timeout = 10_000,
    refreshAhead = 'visible',
    replay = 'auto',
    refreshAfter = [],
  } = options ?? {}
  const replayWindow = options?.replayWindow ?? backend?.replayWindow ?? 0
  const must = (fits: unknown, option: string, rule: string): void => {
    if (!fits) throw new InvalidOptionError(option, rule)
  }
  must(
    typeof backend?.attach === 'function' && typeof backend.refresh === 'function',
    'backend',
    'must be an object with attach and refresh',
  )
  must(leeway >= 0 && Number.isFinite(leeway), 'leeway', 'must be a number of ms, not negative')
  must(timeout > 0 && Number.isFinite(timeout), 'timeout', 'must be a number of ms above 0')
  must(replayWindow >= 0, 'replayWindow', 'must be a number of ms, not negative')
  must(['visible', 'always', 'never'].includes(refreshAhead), 'refreshAhead', "must be 'visible', 'always' or 'never'")
  must(['auto', 'idempotent', 'never'].includes(replay), 'replay', "must be 'auto', 'idempotent' or 'never'")
  for (const { path, then } of refreshAfter) {
    must(path?.startsWith('/'), 'refreshAfter', 'must have paths that begin with /')
    must(then === 'refresh' || then === 'reload', 'refreshAfter', "must say then: 'refresh' or 'reload'")
  }
  const origins = options.origins ?? [...(pageOrigin ? [pageOrigin] : []), ...(backend.origins ?? [])]
  for (const origin of origins)
    must(
      URL.canParse(origin) && new URL(origin).origin === origin.replace(/\/$/, ''),
      'origins',
      `must be absolute, like https://api.example.com, and ${origin} is not`,
    )

  const { isExpired = backend.isExpired?.bind(backend) ?? [401] } = options
  return {
    backend,
    origins: new Set(origins.map((origin) => new URL(origin).origin)),
    initial: options.initial,
    leeway,
    timeout,
    refreshAhead,
    isExpired: typeof isExpired === 'function' ? isExpired : (response) => isExpired.includes(response.status),
    replay,
    refreshAfter,
    replayWindow,
  }
}
