// What an app may set, with every default, and what makes no sense.

import { type Credentials, type Json, withoutUndefined } from './core/credentials.ts'
import { InvalidOptionError } from './errors.ts'
import type { RefreshAfter } from './flow/after.ts'
import type { Replay } from './outgoing.ts'
import type { RefreshAhead } from './flow/schedule.ts'
import type { StorageKind } from './platform/storage.ts'
import type { Backend, Expired, Platform } from './ports.ts'

export interface SessionOptions<U = Json, _C = Json> {
  /** Speaks your server's protocol: one of `resesh/backends/*`, or an object of your own. */
  backend: Backend<U>
  /**
   * Exact origins that the app's requests may carry credentials to; with a path that ends in `/`, only what lies below it. A
   * redirect within one origin is the browser's own affair: it keeps the header, wherever it leads there.
   * @default the page's own and the backend's: a list of yours replaces both
   */
  origins?: readonly string[]
  /** Two sessions on one page: each its own lock, channel and record. @default 'default' */
  name?: string
  /**
   * Where the session is kept. `'indexeddb'`: encrypted, shared by all tabs, there again after a reload. `'memory'`: this tab,
   * until it is reloaded. `'local'`: the credentials in localStorage, for all scripts to read. Or a storage of your own.
   * @default 'indexeddb'
   */
  storage?: StorageKind
  /**
   * What a server-rendered page already knows, `null` for nobody: there is no `loading` then. Fresh at each load, since it takes
   * the place of what is stored; unless both tell when they were issued (`iat`), and the stored ones are newer.
   */
  initial?: Credentials<U> | null
  /** How long before its expiry a token counts as spent, in ms; at most a quarter of its life. Not negative. @default 10_000 */
  leeway?: number
  /** ms for one refresh, all its calls and their bodies. @default 10_000 */
  timeout?: number
  /** Whether to refresh shortly before expiry: while the page is visible, always, or never. @default 'visible' */
  refreshAhead?: RefreshAhead
  /**
   * Which responses say that the token is not accepted: status codes, or a look at the response; in place of the backend's own.
   * @default the backend's, else 401
   */
  isExpired?: readonly number[] | Expired
  /** Which requests are sent again after an expired response. @default 'auto' */
  replay?: Replay
  /** Requests after which the token or the user has changed. Responses may say so themselves, in the header `refresh-session`. */
  refreshAfter?: readonly RefreshAfter[]
  /** ms in which the server forgives a second use of a refresh token. @default the backend's, else 0 */
  replayWindow?: number
  /** Everything the SDK touches. Left out: the real one, read at call time. `null`: absent. */
  platform?: Platform
}

export type Settings<U> = Required<Omit<SessionOptions<U>, 'isExpired' | 'initial' | 'platform'>> & {
  isExpired: Expired
}

const WORDS = {
  storage: 'indexeddb, memory, local',
  refreshAhead: 'visible, always, never',
  replay: 'auto, idempotent, never',
}

/** @throws {@link InvalidOptionError} naming the option. */
export function settle<U, C>(options: SessionOptions<U, C>, page: string | undefined): Settings<U> {
  const must = (fits: unknown, option: string, rule: string): void => {
    if (!fits) throw new InvalidOptionError(option, rule)
  }
  const { backend } = options
  must(
    typeof backend?.attach === 'function' && typeof backend.refresh === 'function',
    'backend',
    'must have attach and refresh, as bearer() gives',
  )
  const settings = {
    name: 'default',
    storage: 'indexeddb' as const,
    // A sandboxed frame has no origin, which it calls 'null'.
    origins: [...(page && page !== 'null' ? [page] : []), ...(backend.origins ?? [])],
    leeway: 10_000,
    timeout: 10_000,
    refreshAhead: 'visible' as const,
    replay: 'auto' as const,
    refreshAfter: [],
    replayWindow: backend.replayWindow ?? 0,
    ...withoutUndefined(options),
  }
  for (const name of ['leeway', 'timeout', 'replayWindow'] as const)
    must(settings[name] >= 0 && settings[name] < Infinity, name, 'must be ms, not negative')
  const { isExpired = backend.isExpired?.bind(backend) ?? [401] } = options
  const { origins } = settings
  for (const [name, words] of Object.entries(WORDS) as [keyof typeof WORDS, string][]) {
    const value = settings[name]
    must(typeof value === 'object' || words.split(', ').includes(value), name, `must be one of ${words}`)
  }
  must(typeof isExpired === 'function' || Array.isArray(isExpired), 'isExpired', 'must be a list or a function')
  must(Array.isArray(origins), 'origins', 'must be a list')
  for (const place of origins) {
    const { origin, pathname } = URL.canParse(place) ? new URL(place) : ({} as URL)
    const fits = place === origin || (place.endsWith('/') && place === `${origin}${pathname}`)
    must(!place.includes('*'), 'origins', 'must have no *')
    must(fits, 'origins', `must be like https://api.example.com or https://api.example.com/v1/, not ${place}`)
  }
  for (const { path } of settings.refreshAfter)
    must(path?.startsWith('/'), 'refreshAfter', 'must have paths that begin with /')

  return {
    ...settings,
    isExpired: typeof isExpired === 'function' ? isExpired : ({ status }) => isExpired.includes(status),
  }
}
