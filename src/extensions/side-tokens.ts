// Tokens for something else than the session: another organization, template or audience. They come from the session's one
// refresh token, so that they are minted under the same lock and journal as a refresh.

import { RefreshFailedError } from '../errors.ts'
import type { Extension, Operation, SideTokenOptions, TokenTarget } from '../seam/extension.ts'
import type { SideToken } from '../seam/io.ts'
import { endChange, sideTokenChange } from '../state/changes.ts'
import { claimsOf, type Json, merge } from '../state/credentials.ts'
import { lifetimeOf, type Receipt } from '../state/expiry.ts'
import { planRefresh } from '../state/plan.ts'
import type { Ending } from '../state/record.ts'

interface Entry {
  readonly generation: number
  /** Only a caller who came before that can be sure of a token that is newer than the call. */
  isStarted: boolean
  /** Monotonic ms. */
  expiresAt: number
  minted: Promise<string>
}

// A token whose lifetime is unknown is minted anew after this.
const UNKNOWN_LIFETIME_MS = 60_000
const LEEWAY_MS = 5_000

type Minted = SideToken | null

function lifetimeOfToken({ accessToken, expiresInSeconds, expiresAt }: SideToken, receipt: Receipt): number | null {
  const claims = accessToken ? claimsOf(accessToken) : null
  return lifetimeOf({ expiresInSeconds, expiresAt, claims }, receipt)
}

/** `getToken({ organizationId })`, `getToken({ template })` and `getToken({ resource })`, kept in memory until they expire. */
export function sideTokens(): Extension {
  return {
    name: 'sideTokens',
    setup(kernel) {
      const { server, mono } = kernel
      const entries = new Map<string, Entry>()

      const operation = (target: TokenTarget, entry: Entry): Operation<Json, Minted> => ({
        name: 'side-token',
        ifRefused: 'keep-answer',
        plan(found, now, replayWindow) {
          entry.isStarted = true
          if (!found?.record.signedIn || found.record.version.generation !== entry.generation) return 'adopt'
          if (!found.credentials?.refreshToken) return 'send'
          const asked = { ...found.record, forced: true, reload: false, shareKey: '' }
          return planRefresh(found.record, asked, now, replayWindow)
        },
        maySpend: (held) => !!held?.refreshToken,
        async call(io, { held }) {
          return server.token!(held!, io, { ...target, reason: 'forced' })
        },
        commit(said, { record, held }, receipt) {
          entry.expiresAt = mono() + ((said && lifetimeOfToken(said, receipt)) ?? UNKNOWN_LIFETIME_MS)
          if (said === null) return { change: endChange(record!, 'expired', false), credentials: null }
          if (!held!.refreshToken) return undefined
          const rotated = said.credentials && merge(held, said.credentials)
          const change = sideTokenChange(record!, !!rotated)
          return rotated ? { change, credentials: rotated } : { change }
        },
        end: (reason, { record }) => ({ change: endChange(record!, reason as Ending, false), credentials: null }),
      })

      async function mint(target: TokenTarget, entry: Entry): Promise<string> {
        const said = await kernel.exchange(operation(target, entry))
        if (!said) return ''
        if (!said.accessToken)
          throw new RefreshFailedError(`${server.name}: no access token for ${Object.values(target).join()}`)
        return said.accessToken
      }

      function getToken(
        target: TokenTarget,
        { skipCache, minValidity = LEEWAY_MS }: SideTokenOptions,
      ): Promise<string> {
        const { generation } = kernel.version
        const key = JSON.stringify(Object.entries(target).sort())
        const old = entries.get(key)
        const isGood = old?.generation === generation && old.expiresAt - mono() > minValidity
        if (isGood && !(skipCache && old.isStarted)) return old.minted
        const entry = { generation, isStarted: false, expiresAt: Infinity } as Entry
        entry.minted = mint(target, entry)
        entries.set(key, entry)
        entry.minted.catch(() => entries.get(key) === entry && entries.delete(key))
        return entry.minted
      }

      return { token: (target, options) => (server.token ? getToken(target, options) : undefined) }
    },
  }
}
