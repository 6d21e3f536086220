// How a session begins by a sign-in: with credentials, by a login function, or by asking the server who is signed in.

import type { Context } from '../context.ts'
import { InvalidOptionError, InvalidTokenError } from '../errors.ts'
import type { CallBackend } from '../refresh/call.ts'
import type { CoreOperation, Exchange } from '../refresh/exchange.ts'
import type { Backend } from '../seam/backend.ts'
import type { Commit } from '../seam/extension.ts'
import { signInChange } from '../state/changes.ts'
import { type Credentials, merge } from '../state/credentials.ts'
import type { Readiness } from './readiness.ts'
import { firstGeneration, writeAlone } from './write.ts'

/** Logs in, and answers with credentials; with nothing, where the server can be asked who is signed in. */
export type LogIn<U> = (io: { fetch: typeof fetch; signal: AbortSignal }) => Promise<Credentials<U> | void>

export type SignInSource<U> = Credentials<U> | LogIn<U>

/**
 * Only what carries a token signs anybody in, or what comes from a backend that needs none: the JSON of a refused login does not.
 * @throws InvalidTokenError
 */
export function requireToken<U>({ cookies }: Backend<U>, credentials: Credentials<U>): Credentials<U> {
  const { accessToken, refreshToken, data } = credentials
  if (cookies || accessToken || refreshToken || data) return credentials
  const names = Object.keys(credentials).join(', ')
  throw new InvalidTokenError(`Neither accessToken nor refreshToken, but ${names}. Nobody was signed in.`)
}

/** @throws what the login function throws, {@link InvalidTokenError}. The session is as before then. */
export function createSignIn<U, C>(
  { runtime, backend, store, reentrance }: Context<U, C>,
  readiness: Readiness,
  callBackend: CallBackend<U>,
  exchange: Exchange<U>,
): (from?: SignInSource<U>) => Promise<void> {
  const { clock, records } = runtime

  async function logIn(from: LogIn<U> | undefined): Promise<Credentials<U> | null> {
    const said = from && (await reentrance.logIn(async () => from({ fetch: runtime.fetch, signal: runtime.disposed })))
    runtime.disposed.throwIfAborted()
    if (said) return said
    const { restore } = backend
    if (!restore)
      throw new InvalidOptionError('signIn', `needs credentials: ${backend.name} can't ask who is signed in`)
    const held = (await records.read())?.credentials ?? null
    return callBackend((io) => restore.call(backend, io, held)).inTime
  }

  function signInCommit(said: Credentials<U> | null): Commit<U> {
    const fresh = said && requireToken(backend, merge(null, said))
    return { change: signInChange(fresh, clock.now(), firstGeneration(store, clock)), credentials: fresh }
  }

  const signInOperation = (from: LogIn<U> | undefined): CoreOperation<U, Credentials<U> | null> => ({
    name: 'sign-in',
    // Afterwards nobody would know any more of a sign-out that the server has missed.
    pendingSignOut: 'attempted',
    plan: () => 'send',
    maySpend: () => false,
    call: () => logIn(from),
    run: () => logIn(from),
    commit: signInCommit,
    present: ([stored]) => [stored, 'this-tab'],
  })

  return async (from) => {
    runtime.disposed.throwIfAborted()
    store.hasDecided = true
    // What the page was handed is written down first: the sign-in comes after it.
    await readiness.pending?.catch(() => {})
    if (typeof from === 'object') store.adopt(await writeAlone(records, signInCommit(from)), 'this-tab')
    else await exchange(signInOperation(from))
  }
}
