// Tokens for something else than the session: another organization, template or audience.

import { claimsOf, type Credentials, merge } from '../core/credentials.ts'
import { lifeOf } from '../core/expiry.ts'
import { isNewer, mayWrite, over, planned, type Record, renewed } from '../core/record.ts'
import { InvalidOptionError, RefreshFailedError } from '../errors.ts'
import type { Wanted } from '../ports.ts'
import type { Parts } from './parts.ts'

type Target = Omit<Wanted, 'reason'>
export type SideToken = (target: Target, skipCache?: boolean, minValidity?: number) => Promise<string>

interface Entry {
  generation: number
  /** Only whoever came before that can be sure of a token that is newer than the asking. */
  isStarted: boolean
  diesAt: number
  minted: Promise<string>
}

// A token whose life can't be known is asked for again after this.
const UNKNOWN_LIFE = 60_000
const LEEWAY = 5_000

export function createSideTokens<U, C>(parts: Parts<U, C>): SideToken {
  const { world, backend, store, call, turn, farewell, replayWindow } = parts
  const { now, mono, read, update, isSole } = world
  const { begin, failed } = parts.journal
  const entries = new Map<string, Entry>()

  async function mint(target: Target, entry: Entry): Promise<string | number> {
    entry.isStarted = true
    const stored = await read()
    if (!stored?.credentials) throw new RefreshFailedError('No credentials are stored')
    const { record: found, credentials: held } = stored
    if (found.version.generation !== entry.generation) {
      store.adopt(stored, 'other-tab') // somebody else's by now
      return ''
    }
    // What spends the refresh token is an attempt like any other.
    const maySpend = !!held.refreshToken
    const plan =
      maySpend &&
      planned(found, { ...found, forced: true, reload: false, alone: '' }, now(), isSole() ? replayWindow : 0)
    if (typeof plan === 'number') return plan
    const journal = maySpend ? await begin(found) : found
    if (!journal) return now() // another tab was quicker

    const wanted = { ...target, reason: 'forced' } as const
    const { inTime, answer, seen } = call((io) => backend.token!(held, io, wanted))
    // However late: its refresh token is the only one now.
    const kept = answer.then(async (late) => {
      if (late && maySpend) await keep(journal, late.credentials && merge(held, late.credentials))
    })
    kept.catch(() => {})
    const said = await inTime.catch(async (error: unknown) => {
      if (maySpend) await failed(journal, error, seen, true)
      throw error
    })
    if (!said) return ended(journal)
    await kept
    const { accessToken, expiresAt } = said
    entry.diesAt = mono() + (lifeOf({ expiresAt, claims: claimsOf(accessToken) }, now()) ?? UNKNOWN_LIFE)
    return accessToken
  }

  /** Believed only if nobody has moved on since. */
  async function ended(found: Record): Promise<string> {
    const record = await update((old) => (mayWrite(old, found) ? over(old, 'expired') : undefined), null)
    if (!record) throw new RefreshFailedError('Refused, but the session goes on')
    store.adopt({ record, credentials: null }, 'server')
    return ''
  }

  /** A rotated refresh token is kept, though the session stays what it was. */
  async function keep(journal: Record, credentials: Credentials<U> | undefined): Promise<void> {
    const record = await update((old) => {
      if (!mayWrite(old, journal) || isNewer(old.version, journal.version)) return undefined
      return { ...(credentials ? renewed(old, old) : old), sent: null, failures: 0, coolUntil: 0 }
    }, credentials)
    if (!credentials) return
    if (record) store.adopt({ record, credentials }, 'this-tab')
    else await farewell(credentials)
  }

  return async (target, skipCache = false, minValidity = LEEWAY) => {
    if (!backend.token) throw new InvalidOptionError(Object.keys(target).join(), `means nothing to ${backend.name}`)
    const { generation } = store.tab.version
    const key = JSON.stringify(Object.entries(target).sort())
    const old = entries.get(key)
    const isGood = old?.generation === generation && old.diesAt - mono() > minValidity
    if (isGood && !(skipCache && old.isStarted)) return old.minted

    const entry = { generation, isStarted: false, diesAt: Infinity } as Entry
    // One queue for all that use one refresh token.
    entry.minted = turn(() => mint(target, entry))
    entries.set(key, entry)
    entry.minted.catch(() => entries.get(key) === entry && entries.delete(key))
    return entry.minted
  }
}
