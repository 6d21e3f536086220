// One attempt at a refresh: lock, read the record, adopt what another tab has done, or journal, send and commit by
// compare-and-set. The lock makes it one at a time; the fence in the record decides who may commit, whatever became of the lock.

import { type Credentials, isOther, merge } from '../core/credentials.ts'
import { lifeOf } from '../core/expiry.ts'
import { type Asked, BLANK, isNewer, mayWrite, over, planned, refreshed, signedIn } from '../core/record.ts'
import type { Ending } from '../core/state.ts'
import {
  InvalidTokenError,
  isTransient,
  RefreshFailedError,
  RefreshTimeoutError,
  SessionEndedError,
  SessionError,
} from '../errors.ts'
import type { Stored, Wanted } from '../ports.ts'
import type { Parts } from './parts.ts'
import type { Source } from './store.ts'

/** `give-up`: too many automatic ones brought nothing. @throws SessionError */
export type Attempt = (asked: Asked, wanted: Wanted) => Promise<'done' | 'give-up'>

type News<U> = [stored: Stored<U> | null, source: Source]

export function createAttempt<U, C>(parts: Parts<U, C>): Attempt {
  const { world, backend, store, events, call, turn, farewell, timeout, replayWindow } = parts
  const { now, mono, read, update, isSole } = world
  const { begin, failed } = parts.journal

  async function send(
    { record: found, credentials: held }: Stored<U>,
    asked: Asked,
    plain: Wanted,
    wasSole: boolean,
  ): Promise<News<U> | number> {
    if (!held) throw new RefreshFailedError('No credentials are stored')
    const journal = await begin(found)
    if (!journal) return now() // another tab was quicker
    const { attempt, version, sent } = journal
    // Signed out or robbed of the lock meanwhile; or a sleep between journal and sending, in which others may have spent
    // this refresh token.
    const isLate = Math.abs(now() - sent!.at) > timeout / 4
    if (store.tab.version.generation > version.generation || isLate || isSole() !== wasSole) return now()
    const reload = asked.reload || journal.reloadFrom > journal.reloaded
    const wanted: Wanted = reload ? { ...plain, reason: 'reload' } : plain
    const method = (reload && backend.reload) || backend.refresh
    let keeping: Promise<News<U> | null> | undefined
    const { inTime, answer, seen } = call(
      (io) => method.call(backend, held, io, wanted),
      `${version.generation}.${attempt}`,
      // Written down at once: a page that dies before the rest is answered must not take the only refresh token with it.
      (credentials) => void (keeping = commit(credentials, undefined, false).catch(() => null)),
    )

    /** Answers null where a sign-out, a sign-in or a later attempt came first: theirs may do, or not. */
    async function commit(
      said: Credentials<U> | null,
      ending: Ending = 'expired',
      isReload = reload,
    ): Promise<News<U> | null> {
      const receivedAt = now()
      const fresh = said === null ? null : merge(held, said)
      const record = await update((kept) => {
        // Cleared away under us: who still holds the session writes it down anew.
        const old = kept ?? (store.credentials && journal)
        if (!mayWrite(old, journal!)) return undefined
        if (!fresh) return over(old, ending)
        const { organizationId, data } = wanted
        const life = lifeOf(fresh, receivedAt)
        const why = organizationId !== undefined ? 'switched' : isReload ? 'reloaded' : data ? 'updated' : 'refreshed'
        const next = refreshed(old, { reason: why, receivedAt, life }, isReload)
        // Another user in the answer: whatever waits belongs to somebody else.
        return isOther(held!, fresh) ? signedIn(next, { reason: 'signed-in', receivedAt, life }) : next
      }, fresh)
      if (record) return [{ record, credentials: fresh }, fresh ? 'this-tab' : 'server']
      // The fence: a sign-out, a sign-in or a later attempt came first. What was just minted must not outlive a sign-out.
      if (fresh) await farewell(fresh).catch(() => {})
      return null
    }

    const theirs = async (): Promise<News<U> | number> => {
      const stored = await read()
      const isEnough = stored && planned(stored.record, asked, now(), replayWindow) === 'adopt'
      return isEnough ? [stored, 'other-tab'] : now()
    }

    events.trace('refresh-start', { attempt, reason: wanted.reason })
    try {
      const said = await inTime
      await keeping
      if (said && !said.accessToken && !said.data && !backend.cookies)
        throw new RefreshFailedError(`${backend.name}: a refresh without an accessToken`, { spent: true })
      return (await commit(said)) ?? (await theirs())
    } catch (cause) {
      if (cause instanceof SessionEndedError) return (await commit(null, cause.reason as Ending)) ?? (await theirs())
      if (cause instanceof RefreshTimeoutError)
        void answer.then(commit).then(
          (news) => news && store.adopt(...news),
          () => {},
        )
      const isSense = cause instanceof SessionError && !(cause instanceof InvalidTokenError)
      const error = isSense ? cause : new RefreshFailedError('The answer makes no sense', { cause, spent: true })
      const kept = await keeping
      if (kept && !asked.reload) return kept
      if (kept) store.adopt(...kept)
      else if (!(await failed(journal, error, seen, asked.forced)) && isTransient(error)) return await theirs()
      throw error
    } finally {
      events.trace('refresh-end', { attempt })
    }
  }

  /** The record was cleared away under us: what this tab still holds begins it anew, above all attempts of before. */
  async function sown(): Promise<Stored<U> | null> {
    const { credentials, tab, life, bornAt } = store
    if (!credentials) return null
    const { version } = tab
    const receivedAt = now() - mono() + bornAt
    const record = await update(
      (old) =>
        old && !isNewer(version, old.version)
          ? undefined
          : { ...BLANK, attempt: now(), ...old, version, signedIn: true, untold: false, receivedAt, life },
      credentials,
    )
    return record ? { record, credentials } : read()
  }

  return async (asked, wanted) => {
    const news = await turn<News<U> | 'give-up'>(async () => {
      const wasSole = isSole()
      let found = await read()
      if (!found || isNewer(store.tab.version, found.record.version)) found = await sown()
      // An attempt that is not written down died with its holder. Without a lock it may as well be under way.
      const window = wasSole ? replayWindow : 0
      const plan = found ? planned(found.record, asked, now(), window) : 'adopt'
      if (plan === 'send') return send(found!, asked, wanted, wasSole)
      if (plan === 'give-up' && found?.record.failures) throw new RefreshFailedError('Too many refreshes failed lately')
      if (plan === 'adopt') events.trace('adopt')
      return plan === 'adopt' ? [found, 'other-tab'] : plan
    })
    if (news === 'give-up') return news
    store.adopt(...news) // outside the lock, since it calls listeners
    return 'done'
  }
}
