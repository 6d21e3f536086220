// getToken: from memory while it is good, else from the shared refresh; and side tokens, which leave the session as it is.

import { claimsOf, type Credentials, merge } from '../core/credentials.ts'
import { lifeOf } from '../core/expiry.ts'
import { AUTOMATIC, renewed } from '../core/record.ts'
import { InvalidOptionError, RefreshFailedError, RefreshTimeoutError } from '../errors.ts'
import type { Backend, Undo, Wanted, World } from '../ports.ts'
import type { Caller } from './call.ts'
import type { Flights } from './flights.ts'
import type { Store } from './store.ts'
import { orAborted, orLate } from '../wait.ts'

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

export type GetToken = (options?: TokenOptions) => Promise<string | null>

interface Parts<U, C> {
  world: World<U>
  backend: Backend<U>
  store: Store<U, C>
  flights: Flights
  call: Caller<U>
  acquire(): Promise<Undo>
  timeout: number
}

export function createTokens<U, C>(parts: Parts<U, C>): GetToken {
  const { world, backend, store, flights, call, acquire, timeout } = parts
  const side = createSideTokens()

  return async (options) => {
    // The way of nearly every call: no object, no await.
    if (!options && store.state.status === 'authenticated' && !store.isSpent()) return token()
    return slow(options ?? {})
  }

  function token(): string | null {
    return store.credentials?.accessToken ?? null
  }

  async function slow(options: TokenOptions): Promise<string | null> {
    const { skipCache = false, minValidity, organizationId, template, resource, signal } = options
    if (minValidity !== undefined && !(minValidity >= 0))
      throw new InvalidOptionError('minValidity', 'must not be negative')
    signal?.throwIfAborted()
    if (store.state.status === 'loading') {
      const late = (): Error =>
        new RefreshTimeoutError(`It is unknown who is signed in: no answer within ${timeout} ms`)
      await orAborted(orLate(store.ready, world.clock, timeout, late), signal)
    }
    if (store.state.status !== 'authenticated') return null
    const { generation } = store.tab.version
    const isOurs = (): boolean => store.tab.version.generation === generation
    if (template || resource || (organizationId && organizationId !== store.state.organizationId)) {
      const wanted = {
        reason: 'forced' as const,
        ...(organizationId && { organizationId }),
        ...(template && { template }),
        ...(resource && { resource }),
      }
      const other = await orAborted(side(wanted, skipCache, minValidity), signal)
      return isOurs() ? other : null
    }
    if (!skipCache && !store.isSpent(minValidity)) return token()

    const isAlive = (): boolean => !skipCache && minValidity === undefined && (store.remaining() ?? 0) > 0
    const ask = skipCache ? { ...AUTOMATIC, forced: true } : AUTOMATIC
    try {
      const outcome = await orAborted(flights.request(ask, { reason: skipCache ? 'forced' : 'expired' }), signal)
      if (outcome === 'give-up' && !isAlive())
        throw new RefreshFailedError('Too many refreshes failed lately: none was made')
    } catch (error) {
      // Still good for a while, and nothing better is to be had.
      if (signal?.aborted || !isAlive()) throw error
    }
    return isOurs() ? token() : null
  }

  function createSideTokens() {
    interface Entry {
      version: number
      minted: Promise<string>
      isStarted: boolean
      diesAt: number
      life: number
    }
    const entries = new Map<string, Entry>()

    return (wanted: Wanted, skipCache: boolean, minValidity = 0): Promise<string> => {
      if (!backend.token)
        return Promise.reject(
          new InvalidOptionError(Object.keys(wanted)[1]!, `has no meaning for ${backend.name}: it has no side tokens`),
        )
      const key = JSON.stringify(wanted)
      const { generation } = store.tab.version
      const old = entries.get(key)
      const isGood =
        old && old.version === generation && old.diesAt - world.clock.mono() > Math.max(minValidity, old.life / 10)
      if (old && isGood && (!skipCache || !old.isStarted)) return old.minted

      const entry: Entry = {
        version: generation,
        minted: mint(wanted, () => entry),
        isStarted: false,
        diesAt: Infinity,
        life: 0,
      }
      entries.set(key, entry)
      entry.minted.catch(() => entries.get(key) === entry && entries.delete(key))
      return entry.minted
    }

    async function mint(wanted: Wanted, entry: () => Entry): Promise<string> {
      const release = await acquire() // one queue for all that use one refresh token
      try {
        entry().isStarted = true
        const stored = await world.records.read()
        if (!stored?.credentials) throw new RefreshFailedError('The session is over')
        const { accessToken, expiresAt, credentials } = await call((io) =>
          backend.token!(stored.credentials!, io, wanted),
        ).inTime
        const life =
          lifeOf({ accessToken, claims: claimsOf(accessToken), ...(expiresAt && { expiresAt }) }, world.clock.now()) ??
          60_000
        Object.assign(entry(), { life, diesAt: world.clock.mono() + life })
        if (credentials) await keep(stored.credentials, credentials, stored.record.version.generation)
        return accessToken
      } finally {
        release()
      }
    }

    /** A rotated refresh token is kept, though the session stays what it was. */
    async function keep(old: Credentials<U>, fresh: Credentials<U>, generation: number): Promise<void> {
      const merged = merge(old, fresh)
      const now = world.clock.now()
      const record = await world.records.update(
        (held) =>
          held?.signedIn && held.version.generation === generation
            ? renewed(held, {
                reason: held.reason,
                receivedAt: held.receivedAt,
                life: held.life ?? lifeOf(merged, now),
              })
            : undefined,
        merged,
      )
      if (record) store.adopt({ record, credentials: merged }, 'this-tab')
    }
  }
}
