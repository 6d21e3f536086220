// getToken: from memory while it is good, else from the shared refresh.

import { isSameSession } from '../core/record.ts'
import { InvalidOptionError, RefreshFailedError } from '../errors.ts'
import { orAborted, orLate } from '../wait.ts'
import type { Flights } from './flights.ts'
import type { Parts } from './parts.ts'
import type { SideToken } from './side-tokens.ts'

export interface TokenOptions {
  /** Only a token of a refresh that starts after this call: its claims are newer than an edit you just stored. @default false */
  skipCache?: boolean
  /** ms the token has to live at least; never more than nine tenths of its life. @default {@link SessionOptions.leeway} */
  minValidity?: number
  /** A token for another organization, where the backend has such. The session is not switched: see `refresh`. */
  organizationId?: string
  /** A token of another shape, where the backend has such. */
  template?: string
  /** A token for another audience (RFC 8707), where the backend has such. */
  resource?: string
  /** Frees this caller; the refresh goes on for the others. */
  signal?: AbortSignal
}

export interface Tokens {
  getToken(options?: TokenOptions): Promise<string | null>
  /** Resolves when the first answer is known. @throws RefreshTimeoutError */
  known(signal?: AbortSignal): Promise<void>
}

export function createTokens<U, C>(parts: Parts<U, C> & { flights: Flights; sideToken: SideToken }): Tokens {
  const { world, store, flights, sideToken, timeout } = parts
  const current = (): string | null => store.credentials?.accessToken ?? null

  async function known(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (store.waking) await orAborted(store.waking, signal)
    if (store.state.status === 'loading')
      await orAborted(orLate(store.ready, world, timeout, `No answer within ${timeout} ms who is signed in`), signal)
  }

  async function slow({ skipCache, minValidity, signal, ...target }: TokenOptions): Promise<string | null> {
    if (!((minValidity ?? 0) >= 0)) throw new InvalidOptionError('minValidity', 'must not be negative')
    await known(signal)
    const { tab, state } = store
    if (state.status !== 'authenticated') return null
    const { template, resource, organizationId } = target
    let token: string | null
    if (template || resource || (organizationId ?? state.organizationId ?? '') !== (state.organizationId ?? '')) {
      token = await orAborted(sideToken(target, skipCache, minValidity), signal)
    } else {
      if (skipCache || store.isSpent(minValidity)) await renewed(skipCache, minValidity, signal)
      // News that brought no access token, such as a side token's refresh token, looks like a refresh to whoever waited for one.
      if (!skipCache && store.remaining() <= 0) await renewed(false, minValidity, signal)
      token = current()
    }
    return isSameSession(tab.version, store.tab.version) ? token : null
  }

  async function renewed(forced = false, minValidity?: number, signal?: AbortSignal): Promise<void> {
    const isGoodYet = (): boolean => !forced && minValidity === undefined && store.remaining() > 0
    try {
      const outcome = await orAborted(flights({ reason: forced ? 'forced' : 'expired' }, { forced }), signal)
      if (outcome === 'give-up') throw new RefreshFailedError('Too many refreshes brought nothing lately')
    } catch (error) {
      // Still good for a while, and nothing better is to be had.
      if (signal?.aborted || !isGoodYet()) throw error
    }
  }

  return {
    known,
    // The way of nearly every call: no object, no wait.
    getToken: async (options) =>
      !options && !store.waking && store.state.status === 'authenticated' && !store.isSpent()
        ? current()
        : slow(options ?? {}),
  }
}
