// What can be made to go wrong, as one table of knobs. Faults act where the routes ask for them; they decide nothing.

/**
 * One per refresh call, first in first out.
 *
 * | fault | the refresh |
 * |---|---|
 * | a status, or `{ status, retryAfter, body, type, spends }` | answers that; the token is spent only with `spends` |
 * | `'html'`, `'empty'` | answers 200 with a page, or with nothing; the token stays unspent |
 * | `'drop-before'` | is cut off before anything happens |
 * | `'drop-after'` | rotates, then its answer is lost |
 * | `'hang'`, `'hang-after'` | never answers, before or after rotating |
 * | `'no-expiry'` | gives a token without `exp`, and no lifetime |
 * | `'past-exp'` | gives a token minted by a clock an hour behind, and no lifetime; it is accepted all the same |
 * | `'negative'` | says the lifetime is -1 s, beside a token without `exp` |
 * | `'opaque'` | gives a token that is no JWT |
 * | `'old-claims'` | takes 300 ms longer; the claims are those of its arrival, as ever |
 */
export type Fault =
  | number
  | { status: number; retryAfter?: number | string; body?: string; type?: string; spends?: boolean }
  | 'html'
  | 'empty'
  | 'drop-before'
  | 'drop-after'
  | 'hang'
  | 'hang-after'
  | 'old-claims'
  | Shape

/** What is odd about the token that a refresh gives. */
export type Shape = 'no-expiry' | 'past-exp' | 'negative' | 'opaque'

export const defaultKnobs = {
  /** Life of an access token, of the one behind the cookie too. */
  accessTokenLifeSeconds: 60,
  /** Life of a session without a refresh. */
  sessionLifeSeconds: 3600,
  /** In which a spent refresh token or cookie gets its successor again. 0: the second use is theft. */
  graceMs: 0,
  /** From the arrival of a refresh, which rotates and reads the claims at once, to its answer. */
  refreshDelayMs: 0,
  refreshFailures: [] as Fault[],
  /** From the arrival of an API request, which is judged at once, to its answer. */
  apiDelayMs: 0,
  /** As refreshFailures, one per API request, of its statuses, pages, drops and hangs. */
  apiFailures: [] as Fault[],
  /** What the answer to an edit says in its header `refresh-session`: nothing, `refresh` or `reload`. */
  editSays: '',
  /** The API answers 401 to everybody. */
  alwaysExpired: false,
  /** Cookie sessions: true, an API request renews the hidden token itself; false, it answers 401 until POST /bff/refresh. */
  bffSilentRefresh: true,
  /** Cookie sessions: the answers carry the access token too (the token-mediating variant). */
  bffMediatesToken: false,
}

export type Knobs = typeof defaultKnobs

/** Takes over known knobs of the right type; says which one is not. */
export const mergeKnobs = (knobs: Knobs, changes: Record<string, unknown>): string | undefined => {
  for (const [name, value] of Object.entries(changes)) {
    const known = (defaultKnobs as Record<string, unknown>)[name]
    if (typeof value !== typeof known || Array.isArray(value) !== Array.isArray(known)) return name
  }
  Object.assign(knobs, structuredClone(changes))
  return undefined
}

export const delay = (ms: number): Promise<void> =>
  ms > 0 ? new Promise((done) => setTimeout(done, ms)) : Promise.resolve()

/** Resolves when the caller has gone away. */
export const gone = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => (signal.aborted ? done() : signal.addEventListener('abort', () => done(), { once: true })))
