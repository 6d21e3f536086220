// getToken: from memory while the token is good, else from the shared refresh.

import type { Context } from '../context.ts'
import { InvalidOptionError } from '../errors.ts'
import { assertMeant, type Names } from '../known-options.ts'
import { gaveUp } from '../failures.ts'
import type { RefreshOutcome, RequestRefresh } from '../refresh/queue.ts'
import { abortable } from '../runtime/wait.ts'
import type { ExtensionHooks, SideTokenOptions, TokenTarget } from '../seam/extension.ts'
import { isSameUser } from '../state/credentials.ts'
import { isSameSession } from '../state/record.ts'
import type { Readiness } from './readiness.ts'

export interface TokenOptions {
  /** Only a token of a refresh that starts after this call: its claims are newer than an edit you just stored. @default false */
  skipCache?: boolean
  /** ms that the token has to live at least; never more than nine tenths of its lifetime. @default {@link SessionOptions.leeway} */
  minValidity?: number
  /** A token for another organization, by `sideTokens()`. The session is not switched: see `refresh`. */
  organizationId?: string
  /** A token of another shape, by `sideTokens()`, where the backend has such. */
  template?: string
  /** A token for another audience (RFC 8707), by `sideTokens()`, where the backend has such. */
  resource?: string
  /** Frees this caller; the refresh goes on for the others. */
  signal?: AbortSignal | undefined
}

const OPTIONS: Names<TokenOptions> = {
  skipCache: true,
  minValidity: true,
  organizationId: true,
  template: true,
  resource: true,
  signal: true,
}

export type GetToken = (options?: TokenOptions) => Promise<string | null>

interface Wanted {
  readonly skipCache: boolean
  readonly minValidity: number | undefined
  readonly signal: AbortSignal | undefined
}

const namesOf = (target: TokenTarget): (keyof TokenTarget)[] =>
  (Object.keys(target) as (keyof TokenTarget)[]).filter((name) => target[name] !== undefined)

export function createGetToken<U, C>(
  { backend, store, reentrance }: Context<U, C>,
  readiness: Readiness,
  requestRefresh: RequestRefresh,
  extensions: readonly ExtensionHooks[],
): GetToken {
  const heldToken = (): string | null => store.credentials?.accessToken ?? null

  async function getSlowly(options: TokenOptions): Promise<string | null> {
    assertMeant('session.getToken', options, OPTIONS)
    const { skipCache = false, minValidity, signal, ...target } = options
    const assertMayWait = reentrance.startCall('getToken')
    if (!((minValidity ?? 0) >= 0)) throw new InvalidOptionError('minValidity', 'must be a number of ms, not negative')
    await readiness.untilReady(signal)
    const { view, state } = store
    if (state.status !== 'authenticated') return null
    const token = isElsewhere(target)
      ? await abortable(getSideToken(target, { skipCache, minValidity }, assertMayWait), signal)
      : await getOwnToken({ skipCache, minValidity, signal }, assertMayWait)
    // Another user's session has begun meanwhile, or none goes on: the token is not the caller's.
    const isCallers = isSameSession(view.version, store.view.version) || isSameUser(state, store.state)
    return isCallers ? token || null : null
  }

  async function getOwnToken(wanted: Wanted, assertMayWait: () => void): Promise<string | null> {
    const { skipCache, minValidity } = wanted
    if (skipCache) await renewForced(wanted, assertMayWait)
    else if (store.isNearExpiry(minValidity)) await renew(wanted, assertMayWait)
    // News that brought no access token, such as a rotated refresh token, end the wait for a refresh as well.
    if (!skipCache && (store.remaining() ?? Infinity) <= 0) await renew(wanted, assertMayWait)
    return heldToken()
  }

  /** The token of a session that has begun meanwhile may be older than the call; that of another user is not the caller's. */
  async function renewForced(wanted: Wanted, assertMayWait: () => void): Promise<void> {
    const { state } = store
    let outcome = await renew(wanted, assertMayWait)
    while (outcome === 'other-session' && isSameUser(state, store.state)) outcome = await renew(wanted, assertMayWait)
  }

  async function renew(
    { skipCache: forced, minValidity, signal }: Wanted,
    assertMayWait: () => void,
  ): Promise<RefreshOutcome> {
    const isGoodYet = (): boolean => !forced && minValidity === undefined && (store.remaining() ?? 0) > 0
    try {
      assertMayWait()
      const reason = forced ? 'forced' : 'expired'
      const outcome = await abortable(requestRefresh({ reason }, { forced }), signal)
      if (outcome === 'give-up') throw gaveUp('getToken', store.lastFailure)
      return outcome
    } catch (error) {
      if (signal?.aborted || !isGoodYet()) throw error
      return 'give-up'
    }
  }

  /** Whether the token is for something else than the session. */
  function isElsewhere({ template, resource, organizationId }: TokenTarget): boolean {
    const current = store.state.organizationId ?? ''
    return !!template || !!resource || (organizationId ?? current) !== current
  }

  async function getSideToken(
    target: TokenTarget,
    options: SideTokenOptions,
    assertMayWait: () => void,
  ): Promise<string | null> {
    assertMintable(target)
    assertMayWait()
    for (const { token } of extensions) {
      const minted = token?.(target, options)
      if (minted) return minted
    }
    throw new InvalidOptionError(
      namesOf(target).join(' and '),
      "needs `use: [sideTokens()]`, from 'resesh/side-tokens'",
    )
  }

  /** A token for less than what was asked would be another tenant's, or another audience's. */
  function assertMintable(target: TokenTarget): void {
    const { name, token, mints = [] } = backend
    const foreign = namesOf(target).filter((each) => !token || !mints.includes(each))
    if (foreign.length > 0)
      throw new InvalidOptionError(
        foreign.join(' and '),
        `is not supported by the backend ${name}: see \`mints\` and \`token\` of a backend`,
      )
  }

  return async (options) => {
    // The way of nearly every call: no object, no wait.
    const isFresh = !readiness.pending && store.state.status === 'authenticated' && !store.isNearExpiry()
    return isFresh && !options ? heldToken() : getSlowly(options ?? {})
  }
}
