// What an app may set, with every default, and what makes no sense.

import { parseUrl } from './parse-url.ts'
import { InvalidOptionError } from './errors.ts'
import { assertKnown } from './known-options.ts'
import type { Replay } from './request/replayable.ts'
import type { Platform } from './runtime/ports.ts'
import type { Backend } from './seam/backend.ts'
import type { Extension } from './seam/extension.ts'
import type { IsExpired } from './seam/io.ts'
import { type Credentials, type Json, withoutUndefined } from './state/credentials.ts'
import { indexedDb } from './storage/indexeddb.ts'
import { memory } from './storage/memory.ts'
import type { SessionStorage } from './storage/storage.ts'

/** Whether to refresh shortly before expiry: while the page is visible, always, or never. */
export type RefreshAhead = 'visible' | 'always' | 'never'

export interface SessionOptions<U = Json, _C = Json> {
  /** Speaks your server's protocol: one of `resesh/backends/*`, or an object of your own. */
  backend: Backend<U>
  /**
   * Optional capabilities, such as `stepUp(…)`, `refreshAfter(…)` and `sideTokens()`. The first extension that has a word to
   * say about a response counts; those of the backend come last.
   * @default []
   */
  use?: readonly Extension[]
  /**
   * Exact origins that the app's requests may carry credentials to; with a path that ends in `/`, only what lies below it. A
   * redirect within one origin is the browser's own affair: it keeps the header, wherever it leads there.
   * @default the page's own and the backend's: a list of yours replaces both
   */
  origins?: readonly string[]
  /**
   * Two sessions of one server on one origin, such as two accounts, have two names: each has its own lock, channel and record.
   * Sessions of different servers never meet, whatever their names ({@link Backend.identity}). @default 'default'
   */
  name?: string
  /**
   * Where the session is kept. `indexedDb()`: encrypted, shared by all tabs, there again after a reload. `memory()`: this tab,
   * until it is reloaded. `local()` from `resesh/storage/local`: in localStorage, where every script can read the tokens.
   * `custom(…)` from `resesh/storage/custom`: an object of your own.
   * @default indexedDb(), or memory() where the backend leaves credentials to others
   */
  storage?: SessionStorage
  /**
   * What a server-rendered page already knows, `null` for nobody: there is no `loading` then. `undefined`: nothing. It has to be
   * fresh at each load, since it takes the place of what is stored; unless both tell when they were issued (`iat`), and the stored
   * one is newer.
   */
  initial?: Credentials<U> | null | undefined
  /** How long before its expiry a token counts as near expiry, in ms; at most a quarter of its lifetime. Not negative. @default 10_000 */
  leeway?: number
  /** For one refresh, all its calls and their bodies, in ms. @default 10_000 */
  timeout?: number
  /** Whether to refresh shortly before expiry: while the page is visible, always, or never. @default 'visible' */
  refreshAhead?: RefreshAhead
  /**
   * Which responses say that the token is not accepted: status codes, or a look at the response. Replaces the backend's own.
   * @default the backend's, else 401
   */
  isExpired?: readonly number[] | IsExpired
  /** Which requests are sent again after an expired response. @default 'auto' */
  replay?: Replay
  /**
   * How long the server forgives a second use of a refresh token, in ms; `Infinity`: asking again uses nothing up. A tab whose
   * script stands still in the middle of a refresh keeps the others waiting for a fifth of `timeout` then, in place of all of it.
   * @default the backend's, else 0
   */
  replayWindow?: number
  /** Everything the SDK touches. Left out: the real one, read at call time. `null`: absent. */
  platform?: Platform
}

/** The options of a session, whole and checked. */
export interface Settings {
  readonly name: string
  readonly storage: SessionStorage
  readonly origins: readonly string[]
  /** The page's own, where there is one. */
  readonly page: string | undefined
  readonly leeway: number
  readonly timeout: number
  readonly refreshAhead: RefreshAhead
  readonly isExpired: IsExpired
  /** Whether that is code of the app, or of the backend, which may do what it likes with a response. */
  readonly hasPredicate: boolean
  readonly replay: Replay
  readonly replayWindow: number
}

type Rule = readonly [isRight: (value: never) => unknown, rule: string]

const MS: Rule = [
  (ms: unknown) => typeof ms === 'number' && ms >= 0 && ms < Infinity,
  'must be a number of ms, not negative',
]
const MS_OR_INFINITY: Rule = [(ms: unknown) => ms === Infinity || MS[0](ms as never), `${MS[1]}, or Infinity`]
const ANYTHING: Rule = [() => true, '']
const oneOf = (...words: string[]): Rule => [
  (word: string) => words.includes(word),
  `must be one of ${words.join(', ')}`,
]

/** Every option, and what it must be once its default is filled in. */
const RULES: { readonly [Name in keyof Required<SessionOptions>]: Rule } = {
  backend: [
    (backend?: Backend) => typeof backend?.attach === 'function' && typeof backend.refresh === 'function',
    'must have attach and refresh, as bearer({ refreshUrl }) gives: is it called?',
  ],
  use: [
    (list: readonly Extension[]) => Array.isArray(list) && list.every((each) => typeof each?.setup === 'function'),
    'must be a list of extensions, such as stepUp(…)',
  ],
  origins: [
    (list: readonly string[]) => Array.isArray(list) && list.every(isOrigin),
    'must be a list of strings like https://api.example.com or https://api.example.com/v1/, without *',
  ],
  name: [(name: unknown) => typeof name === 'string', 'must be a string'],
  storage: [
    (storage?: SessionStorage) => typeof storage?.open === 'function',
    "must be what a storage function gives: indexedDb() or memory() of 'resesh', local() of 'resesh/storage/local'",
  ],
  initial: ANYTHING,
  leeway: MS,
  timeout: MS,
  refreshAhead: oneOf('visible', 'always', 'never'),
  isExpired: [(value: unknown) => typeof value === 'function' || Array.isArray(value), 'must be a list or a function'],
  replay: oneOf('auto', 'idempotent', 'never'),
  replayWindow: MS_OR_INFINITY,
  platform: ANYTHING,
}

/** An origin; or with a path that ends in `/`. */
function isOrigin(place: unknown): boolean {
  if (typeof place !== 'string' || place.includes('*')) return false
  const parsed = parseUrl(place)
  if (!parsed) return false
  const { origin, pathname } = parsed
  return place === origin || (place.endsWith('/') && place === origin + pathname)
}

/** @param page The origin of the page, where there is one. @throws {@link InvalidOptionError} naming the option. */
export function resolveOptions<U, C>(options: SessionOptions<U, C>, page: string | undefined): Settings {
  const { backend } = options
  const settings = {
    use: [],
    name: 'default',
    storage: backend?.inMemory ? memory() : indexedDb(),
    origins: defaultOrigins(backend, page),
    leeway: 10_000,
    timeout: 10_000,
    refreshAhead: 'visible' as const,
    isExpired: backend?.isExpired?.bind(backend) ?? [401],
    replay: 'auto' as const,
    replayWindow: backend?.replayWindow ?? 0,
    ...withoutUndefined(options),
  }
  const ofBackend = Object.keys(options).find((name) => /(Url|Endpoint|Id)$|^issuer$/.test(name))
  if (ofBackend) throw new InvalidOptionError(ofBackend, `is an option of the backend: bearer({ ${ofBackend} })`)
  const all: { readonly [name: string]: unknown } = { ...settings, backend }
  assertKnown('createSession', all, RULES)
  for (const [name, [isRight, rule]] of Object.entries(RULES))
    if (!isRight(all[name] as never)) throw new InvalidOptionError(name, rule)
  const { isExpired } = settings
  return {
    ...settings,
    page,
    hasPredicate: typeof isExpired === 'function',
    isExpired: typeof isExpired === 'function' ? isExpired : ({ status }) => isExpired.includes(status),
  }
}

// A sandboxed frame has no origin, which it calls 'null'.
const defaultOrigins = (backend: Pick<Backend, 'origins'> | undefined, page: string | undefined): readonly string[] => [
  ...(page && page !== 'null' ? [page] : []),
  ...(backend?.origins ?? []),
]
