// One attempt at a refresh: lock, read the record, adopt what another tab has done, or journal, send and commit by
// compare-and-set. The lock makes it one at a time; the fence in the record decides who may commit, whatever became of the lock.

import { type Credentials, merge } from '../core/credentials.ts'
import { backoff, lifeOf, retryAfter } from '../core/expiry.ts'
import {
  type Asked,
  ended,
  failed,
  journalled,
  planned,
  type Record,
  refreshed,
  signedIn,
  wasted,
} from '../core/record.ts'
import type { Ending, Reason } from '../core/state.ts'
import {
  InvalidTokenError,
  RefreshFailedError,
  RefreshTimeoutError,
  SessionEndedError,
  StepUpRequiredError,
} from '../errors.ts'
import type { Backend, Stored, Undo, Wanted, World } from '../ports.ts'
import type { Call, Caller } from './call.ts'
import type { Emitter } from './events.ts'
import type { Farewell } from './farewell.ts'
import type { Source, Store } from './store.ts'

export interface Attempt {
  /** `wait`: an earlier one may still be under way, or the server wants peace. @throws SessionError */
  (asked: Asked, wanted: Wanted): Promise<{ do: 'done' | 'give-up' } | { do: 'wait'; until: number }>
}

export interface Parts<U, C> {
  world: World<U>
  backend: Backend<U>
  store: Store<U, C>
  events: Emitter<U, C>
  call: Caller<U>
  acquire(): Promise<Undo>
  farewell: Farewell<U>
  timeout: number
  replayWindow: number
}

type News<U> = Stored<U> & { source: Source }

export function createAttempt<U, C>(parts: Parts<U, C>): Attempt {
  const { backend, store, events, call, acquire, farewell, timeout, replayWindow } = parts
  const { clock, records } = parts.world
  let lastCall: Call<U, unknown> | undefined

  const adopt = (news: News<U> | null): void => {
    if (news) store.adopt(news, news.source)
  }

  const readNews = async (): Promise<News<U> | null> => {
    const stored = await records.read()
    return stored && { ...stored, source: 'other-tab' }
  }

  async function send({ record, credentials: held }: News<U>, asked: Asked, wanted: Wanted): Promise<News<U> | null> {
    const journal = await records.update((old) => old! && journalled(old, record.version, clock.now(), timeout))
    if (!journal || !held) return readNews()
    const { attempt } = journal
    const { generation } = journal.version
    const reload = asked.ask.reload

    async function commit(answer: Credentials<U> | null, reason: Ending = 'expired'): Promise<News<U> | null> {
      const now = clock.now()
      const fresh = answer && merge(held, answer)
      const minted = fresh && { reason: reasonFor(wanted), receivedAt: now, life: lifeOf(fresh, now) }
      const change = (old: Record | null): Record | undefined => {
        if (!old) return undefined
        if (!minted) return ended(old, attempt, generation, reason)
        const next = refreshed(old, attempt, generation, minted, reload)
        // Another user in the answer: whatever waits belongs to somebody else.
        return next && isSomebodyElse(held!, fresh) ? signedIn(next, { ...minted, reason: 'signed-in' }) : next
      }
      const written = await records.update(change, fresh)
      if (written) return { record: written, credentials: fresh, source: fresh ? 'this-tab' : 'server' }
      // The fence: a sign-out, a sign-in or a later attempt came first. What was just minted must not outlive a sign-out.
      if (fresh) await farewell(fresh)
      return readNews()
    }

    async function note(error: unknown, last: Response | undefined): Promise<void> {
      const now = clock.now()
      const stepUp = error instanceof StepUpRequiredError
      // Headers seen and no success: the server has refused, and the refresh token is as good as before.
      const unknown = (error as RefreshFailedError).spent ?? (!stepUp && (last ? last.ok : true))
      const random = clock.random()
      const told = retryAfter(last?.headers.get('retry-after') ?? null, now, random)
      await records.update((old) => {
        const until = now + (told ?? backoff((old?.failures ?? 0) + 1, random))
        const cool = stepUp ? null : { until, told: told !== null }
        const next = old ? failed(old, attempt, generation, { unknown, cool }) : undefined
        return next && !asked.ask.forced ? wasted(next, now) : next
      })
    }

    lastCall?.abort()
    const method = reload && backend.reload ? backend.reload : backend.refresh
    const conversation = call((io) => method.call(backend, held, io, wanted), `${generation}.${attempt}`)
    lastCall = conversation
    events.trace('refresh-start', { attempt, reason: wanted.reason })
    try {
      return await commit(await conversation.inTime)
    } catch (cause) {
      if (cause instanceof SessionEndedError) return await commit(null, cause.reason as Ending)
      const error =
        cause instanceof InvalidTokenError ? new RefreshFailedError(cause.message, { cause, spent: true }) : cause
      if (error instanceof RefreshTimeoutError) void conversation.answer.then(commit).then(adopt, () => {})
      const { kept, last } = conversation
      if (kept) adopt(await commit(kept))
      else await note(error, last)
      throw error
    } finally {
      events.trace('refresh-end', { attempt })
    }
  }

  return async (asked, wanted) => {
    const release = await acquire()
    let news: News<U> | null
    try {
      news = await readNews()
      const plan = news ? planned(news.record, asked, clock.now(), replayWindow) : { do: 'adopt' as const }
      if (plan.do === 'wait' || plan.do === 'give-up') return plan
      if (plan.do === 'send') news = await send(news!, asked, wanted)
      else events.trace('adopt')
    } finally {
      release()
    }
    adopt(news) // outside the lock, since it calls listeners
    return { do: 'done' }
  }
}

const reasonFor = ({ reason, organizationId, data }: Wanted): Reason =>
  organizationId ? 'switched' : reason === 'reload' ? 'reloaded' : data ? 'updated' : 'refreshed'

const isSomebodyElse = (held: Credentials<unknown>, fresh: Credentials<unknown> | null): boolean => {
  const before = held.claims?.['sub']
  const after = fresh?.claims?.['sub']
  return before != null && after != null && before !== after
}
