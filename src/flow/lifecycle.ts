// How a session begins and ends: found in storage, asked of the server, signed in, signed out, or told of on a response.

import { type Credentials, merge } from '../core/credentials.ts'
import { lifeOf } from '../core/expiry.ts'
import { BLANK, type Minted, over, type Record, renewed, signedIn, signedOut, type Version } from '../core/record.ts'
import type { Reason } from '../core/state.ts'
import { InvalidOptionError, RefreshFailedError } from '../errors.ts'
import type { Backend, RequestView, Stored, Undo, World } from '../ports.ts'
import type { Caller } from './call.ts'
import type { Farewell } from './farewell.ts'
import type { Source, Store } from './store.ts'
import { orAborted } from '../wait.ts'

export type SignIn<U> =
  | Credentials<U>
  | ((io: { fetch: typeof fetch; signal: AbortSignal }) => Promise<Credentials<U> | void>)

export interface Lifecycle<U> {
  /** @throws SessionError where it could not be found out. */
  restore(): Promise<void>
  signIn(from?: SignIn<U>): Promise<void>
  signOut(options?: { local?: boolean; signal?: AbortSignal }): Promise<void>
  /** Tells the server of a sign-out that it could not be told of. @throws RefreshFailedError while it still can't. */
  tellAgain(): Promise<void>
  observed(response: Response, request: RequestView, sentWith: Version): Promise<void> | undefined
}

interface Parts<U, C> {
  world: World<U>
  backend: Backend<U>
  store: Store<U, C>
  call: Caller<U>
  acquire(): Promise<Undo>
  farewell: Farewell<U>
}

type Change = (record: Record) => Record | undefined

export function createLifecycle<U, C>({ world, backend, store, call, acquire, farewell }: Parts<U, C>): Lifecycle<U> {
  const { clock, records } = world

  const minted = (credentials: Credentials<U>, reason: Reason): Minted => {
    const now = clock.now()
    return { reason, receivedAt: now, life: lifeOf(credentials, now) }
  }

  /** Answers what the record holds then: this, or whatever came first. */
  async function commit(change: Change, credentials: Credentials<U> | null): Promise<Stored<U> | null> {
    const record = await records.update((old) => change(old ?? BLANK), credentials)
    return record ? { record, credentials } : records.read()
  }

  const publish = (news: Stored<U> | null, source: Source): void => {
    if (news) store.adopt(news, source)
  }

  async function underLock<T>(work: () => Promise<T>): Promise<T> {
    const release = await acquire()
    try {
      return await work()
    } finally {
      release()
    }
  }

  const ask = async (): Promise<Credentials<U> | null> =>
    backend.restore ? call((io) => backend.restore!(io)).inTime : null

  /** What the server says now. The same session goes on; a sign-in, or another user's session, is a new generation. */
  async function take(answer: Credentials<U> | null, reason: 'restored' | 'signed-in'): Promise<Stored<U> | null> {
    const fresh = answer && merge(null, answer)
    const stored = await records.read()
    const goesOn = fresh && reason === 'restored' && isSameUser(stored?.credentials, fresh)
    return commit((old) => {
      if (fresh) return (goesOn && old.signedIn ? renewed : signedIn)(old, minted(fresh, reason))
      if (old.signedIn) return over(old, 'expired')
      return old.version.generation ? undefined : { ...over(old, 'expired'), reason: 'restored' }
    }, fresh)
  }

  return {
    async restore() {
      let stored = await records.read()
      if (stored?.record.untold) {
        await underLock(() => farewell(null))
        stored = await records.read()
      }
      // Tokens in storage speak for themselves; of a jar that scripts can't read only the server can tell.
      const isKnown = stored?.record.signedIn ? !backend.cookies : stored?.record.untold
      try {
        publish(isKnown ? stored : await underLock(async () => take(await ask(), 'restored')), 'this-tab')
      } catch (error) {
        if (stored?.record.signedIn) {
          publish(stored, 'this-tab')
          store.dispatch({ type: 'failing' })
        }
        throw error
      }
    },

    async signIn(from) {
      const run = async (): Promise<Stored<U> | null> => {
        const io = { fetch: world.fetch, signal: new AbortController().signal }
        const answer = typeof from === 'function' ? await from(io) : undefined
        if (!answer && !backend.restore)
          throw new InvalidOptionError('signIn', `needs credentials: ${backend.name} has no way to ask for them`)
        return take(answer ?? (await ask()), 'signed-in')
      }
      publish(await (from && typeof from !== 'function' ? take(from, 'signed-in') : underLock(run)), 'this-tab')
    },

    async signOut({ local = false, signal } = {}) {
      const { credentials, state } = store
      store.dispatch({ type: 'signed-out' })
      // Not behind the lock: a page that navigates at once must not lose it.
      publish(await commit((old) => signedOut(old, !local && state.status !== 'unauthenticated'), null), 'this-tab')
      // Behind it: after a refresh in flight, whose late answer would bring the session back.
      if (!local)
        await orAborted(
          underLock(() => farewell(credentials)).catch(() => {}),
          signal,
        )
    },

    async tellAgain() {
      const stored = await records.read()
      if (!stored?.record.untold) return
      await underLock(() => farewell(null))
      if ((await records.read())?.record.untold)
        throw new RefreshFailedError('The server does not know of the sign-out yet')
    },

    observed(response, request, sentWith) {
      const seen = backend.observe?.(response, request)
      if (seen === undefined) return undefined
      const fresh = seen && merge(store.state.status === 'authenticated' ? store.credentials : null, seen)
      const news = commit((old) => {
        if (sentWith.generation && old.version.generation !== sentWith.generation) return undefined
        if (fresh)
          return old.signedIn ? renewed(old, minted(fresh, 'updated')) : signedIn(old, minted(fresh, 'signed-in'))
        return old.signedIn ? over(old, response.status === 401 ? 'expired' : 'signed-out') : undefined
      }, fresh)
      return news.then((stored) => publish(stored, 'server'))
    },
  }
}

const isSameUser = (a: Credentials<unknown> | null | undefined, b: Credentials<unknown>): boolean =>
  !!a && idOf(a) === idOf(b)

const idOf = ({ claims, user }: Credentials<unknown>): unknown =>
  claims?.['sub'] ?? (user as { id?: unknown } | null | undefined)?.id ?? null
