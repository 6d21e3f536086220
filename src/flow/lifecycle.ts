// How a session begins and ends: found in storage, asked of the server, signed in, signed out, or told of on a response.

import { type Credentials, isOlder, isOther, merge } from '../core/credentials.ts'
import { lifeOf } from '../core/expiry.ts'
import { BLANK, isNewer, isSameSession, over, type Record, renewed, signedIn, type Version } from '../core/record.ts'
import type { Reason } from '../core/state.ts'
import { InvalidOptionError, InvalidTokenError, SessionEndedError, StepUpRequiredError } from '../errors.ts'
import type { Awaitable, RequestView, Stored } from '../ports.ts'
import { orAborted, orLate } from '../wait.ts'
import type { Parts } from './parts.ts'
import type { Source } from './store.ts'

export type SignIn<U> =
  | Credentials<U>
  | ((io: { fetch: typeof fetch; signal: AbortSignal }) => Promise<Credentials<U> | void>)

export interface Lifecycle<U> {
  /** What is known without asking anybody. */
  begin(initial: Credentials<U> | null): void
  /** @throws SessionError where it could not be found out. */
  restore(): Promise<void>
  signIn(from?: SignIn<U>): Promise<void>
  /** Answers whether the server knows. */
  signOut(options?: { local?: boolean; signal?: AbortSignal }): Promise<boolean>
  /** A response may carry new credentials, or say that they are gone. */
  observed(response: Response, request: RequestView, sentWith: Version): Promise<void> | undefined
}

export function createLifecycle<U, C>({
  world,
  backend,
  store,
  call,
  turn,
  farewell,
  timeout,
}: Parts<U, C>): Lifecycle<U> {
  const { now, read, update } = world
  const { adopt } = store
  let isDecided = false

  const begun = (
    open: typeof signedIn,
    old: Record,
    fresh: Credentials<U>,
    reason: Reason,
    receivedAt = now(),
  ): Record => open(old, { reason, receivedAt, life: lifeOf(fresh, receivedAt) })

  /** Answers what the record holds then: this, or whatever came first. */
  async function commit(
    change: (record: Record, isFirst: boolean) => Record | undefined,
    credentials: Credentials<U> | null,
  ): Promise<Stored<U> | null> {
    // A record that was cleared away begins anew above all that any tab may remember of it.
    const generation = Math.max(now(), store.tab.version.generation)
    const first = { ...BLANK, version: { generation, revision: 0 } }
    const record = await update((old) => change(old ?? first, !old), credentials)
    return record ? { record, credentials } : read()
  }

  async function ask(): Promise<Credentials<U> | null> {
    const held = (await read())?.credentials ?? null
    return backend.restore ? call((io) => backend.restore!(io, held)).inTime : null
  }

  /**
   * What the server says now. The same session goes on; a sign-in, or another user's session, is a new generation. A restore
   * comes too late for whatever was signed in or out while it asked.
   */
  async function take(
    asking: () => Awaitable<Credentials<U> | null>,
    reason: 'restored' | 'signed-in',
    found?: Stored<U> | null,
    receivedAt?: number,
  ): Promise<Stored<U> | null> {
    const before = found === undefined ? await read() : found
    const said = await asking()
    const held = before?.credentials
    const isRestored = reason === 'restored'
    const goesOn = isRestored && held && said && !isOther(held, merge(held, said))
    const fresh = said && whole(goesOn ? held : null, said)
    return commit((old, isFirst) => {
      const then = before?.record.version.generation
      if (isRestored && (isFirst ? then : then !== old.version.generation)) return undefined
      if (goesOn && isOlder(fresh!, held)) return undefined // a cached page brings what was replaced long ago
      // Nothing new was minted: who goes by the version must not take it for a refresh.
      if (goesOn && old.signedIn && (fresh!.accessToken ?? null) === (held.accessToken ?? null))
        return { ...old, reason }
      if (fresh) return begun(goesOn && old.signedIn ? renewed : signedIn, old, fresh, reason, receivedAt)
      if (old.signedIn || isFirst) return over(old, old.signedIn ? 'expired' : 'restored')
      return undefined
    }, fresh)
  }

  /** @throws InvalidTokenError */
  function whole(old: Credentials<U> | null, fresh: Credentials<U>): Credentials<U> {
    const credentials = merge(old, fresh)
    // Such as the JSON of a refused login.
    if (!backend.cookies && !credentials.accessToken && !credentials.refreshToken && !credentials.data)
      throw new InvalidTokenError('Neither accessToken nor refreshToken')
    return credentials
  }

  return {
    begin(initial) {
      const credentials = initial && whole(null, initial)
      const record = credentials ? begun(signedIn, BLANK, credentials, 'restored') : over(BLANK, 'restored')
      adopt({ record: { ...record, version: BLANK.version }, credentials }, 'this-tab')
      const taken = take(() => initial, 'restored', undefined, record.receivedAt)
      store.begin(
        orLate(taken, world, timeout, 'The storage does not answer').then((news) => {
          adopt(news, 'this-tab')
          // Somebody else has signed in elsewhere since: whoever asked for this user must not go on as that one.
          const found = news?.credentials
          if (credentials && found && isOther(credentials, found)) throw new SessionEndedError('signed-in')
        }),
      )
    },

    async restore() {
      // Tokens in storage speak for themselves; of a jar that scripts can't read only the server can tell.
      const isKnown = (stored: Stored<U> | null): boolean => !!stored?.record.signedIn && !backend.cookies
      let stored = await read()
      try {
        if (!isKnown(stored))
          stored = await turn(async () => {
            const found = await read()
            // Another tab has signed in meanwhile; or this one did, or has signed out, and tells the server of it.
            if (isKnown(found) || store.state.status !== 'loading') return found
            if (found?.record.untold) await farewell()
            return take(ask, 'restored', found)
          })
        // Whatever brought it about in its time, this page has found it.
        if (stored?.record.signedIn) stored = { ...stored, record: { ...stored.record, reason: 'restored' } }
        adopt(stored, 'this-tab')
      } catch (error) {
        if (stored?.record.signedIn) {
          adopt(stored, 'this-tab')
          store.dispatch({ type: 'failing' })
        } else if (error instanceof StepUpRequiredError) adopt(await take(() => null, 'restored'), 'this-tab') // not yet
        throw error
      }
    },

    async signIn(from) {
      isDecided = true
      const login = async (): Promise<Credentials<U> | null> => {
        const io = { fetch: world.fetch, signal: world.life }
        const said = typeof from === 'function' ? await from(io) : from
        if (!said && !backend.restore) throw new InvalidOptionError('signIn', `needs credentials with ${backend.name}`)
        return said ?? ask()
      }
      const run = (): Promise<Stored<U> | null> => take(login, 'signed-in')
      // A sign-out that the server has missed it hears before: afterwards nobody would know of it any more.
      const news =
        typeof from === 'object'
          ? run()
          : turn(() =>
              farewell()
                .catch(() => {})
                .then(run),
            )
      adopt(await news, 'this-tab')
    },

    async signOut({ local, signal } = {}) {
      isDecided = true
      const { credentials, state } = store
      store.dispatch({ type: 'signed-out' })
      // Begun before the record is written: what another tab has got since is not held here, nor anything at the start.
      const found = read().catch(() => null)
      // Not behind the lock: a page that navigates at once must not lose it.
      const untold = !local && state.status !== 'unauthenticated'
      // A storage that stalls writes it down once it can: the server is told all the same.
      adopt(await commit((old) => over(old, 'signed-out', untold), null).catch(() => null), 'this-tab')
      world.post() // only now is there something to read
      // Behind it: after a refresh in flight, whose late answer would bring the session back.
      if (!untold) return true
      const telling = turn(async () => farewell((await found)?.credentials ?? credentials)).then(
        () => true,
        () => false,
      )
      return orAborted(telling, signal)
    },

    observed(response, request, sentWith) {
      const said = backend.observe?.(response, request)
      if (said === undefined) return undefined
      // Answers overtake each other: what was minted before that which is held is no news.
      if (said && store.credentials && isOlder(said, store.credentials)) return undefined
      // Sent before it was known who is signed in, and answered after the user has said so.
      if (isDecided && !sentWith.generation) return undefined
      const { credentials: held, tab } = store
      const goesOn = !said || !held || !isOther(held, merge(held, said))
      const fresh = said && merge(goesOn ? held : null, said)
      const news = commit((old) => {
        if (!isSameSession(sentWith, old.version)) return undefined
        // Merged with what is not held any more: its refresh token may be spent.
        if (held && said && !said.refreshToken && isNewer(old.version, tab.version)) return undefined
        const isUpdate = old.signedIn && goesOn
        // What says nothing of a token makes the one that is held no younger.
        if (isUpdate && said && !said.accessToken && lifeOf(said, now()) === null)
          return renewed(old, { ...old, reason: 'updated' })
        if (fresh) return begun(isUpdate ? renewed : signedIn, old, fresh, isUpdate ? 'updated' : 'signed-in')
        return old.signedIn ? over(old, response.status === 401 ? 'expired' : 'signed-out') : undefined
      }, fresh)
      // A storage that stalls is no reason to withhold the answer.
      return news.then((stored) => adopt(stored, 'server' satisfies Source)).catch(() => {})
    },
  }
}
