// How a session begins by a sign-in: with credentials, by a login function, or by asking the server who is signed in.

import type { Context } from '../context.ts'
import { InvalidOptionError } from '../errors.ts'
import type { CallBackend } from '../refresh/call.ts'
import type { CoreOperation, Exchange } from '../refresh/operation.ts'
import { createTimedTransport } from '../runtime/timed-transport.ts'
import { isPromise } from '../runtime/wait.ts'
import type { Commit } from '../seam/extension.ts'
import { signInChange } from '../state/session-changes.ts'
import type { Credentials } from '../state/credentials.ts'
import { parseDate, type Receipt, receivedFromApp } from '../state/expiry.ts'
import type { Readiness } from './readiness.ts'
import { readSignIn } from './answers.ts'
import { isResponse, type LoginAnswer, readLogin } from './login.ts'
import { firstGeneration, writeAlone } from './write.ts'

/** Logs in, and answers with what the login route answered; with nothing, where the server can be asked who is signed in. */
export type LogIn<U> = (io: { fetch: typeof fetch; signal: AbortSignal }) => Promise<LoginAnswer<U> | void>

/** What a sign-in brought. `null`: nobody is signed in. */
interface LoggedIn<U> {
  readonly said: Credentials<U> | null
  readonly receipt: Receipt
}

export type SignInSource<U> = LoginAnswer<U> | Promise<LoginAnswer<U> | void> | LogIn<U>

/** @throws what the login function throws, what a promise of a login rejects with, SignInRefusedError, InvalidTokenError. The session is as before then. */
export function createSignIn<U, C>(
  { runtime, backend, store, reentrance }: Context<U, C>,
  readiness: Readiness,
  callBackend: CallBackend<U>,
  exchange: Exchange<U>,
): (from?: SignInSource<U>) => Promise<void> {
  const { clock, records } = runtime

  async function logIn(from: LogIn<U> | undefined): Promise<LoggedIn<U>> {
    const { fetch, receipt } = createTimedTransport(runtime)
    const said = from && (await reentrance.logIn(async () => from({ fetch, signal: runtime.disposed })))
    runtime.disposed.throwIfAborted()
    const credentials = said === undefined || said === null ? 'ask' : await readLogin(backend, said)
    // What code of the app hands over is by this device's clock.
    if (credentials !== 'ask') return { said: credentials, receipt: { ...receipt(), isByServer: isResponse(said) } }
    return askServer()
  }

  async function askServer(): Promise<LoggedIn<U>> {
    const { restore } = backend
    if (!restore)
      throw new InvalidOptionError(
        'signIn',
        `needs what your login answered: the backend ${backend.name} can't ask who is signed in`,
      )
    const held = (await records.read())?.credentials ?? null
    const call = callBackend((io) => restore.call(backend, io, held))
    return { said: await call.inTime, receipt: call.receipt() }
  }

  function signInCommit({ said, receipt }: LoggedIn<U>): Commit<U> {
    const fresh = said && readSignIn(backend, null, said)
    return { change: signInChange(fresh, receipt, firstGeneration(store, clock)), credentials: fresh }
  }

  /** The server's own time is in the response; of its JSON alone nobody can tell when it was sent. */
  function receiptOf(from: LoginAnswer<U>): Receipt {
    const receipt = receivedFromApp(clock.now())
    if (!isResponse(from)) return receipt
    return { ...receipt, serverTime: parseDate(from.headers.get('date')), isByServer: true }
  }

  const signInOperation = (from: LogIn<U> | undefined): CoreOperation<U, LoggedIn<U>> => ({
    name: 'sign-in',
    // After a login with cookies it would be too late. Without a function the login has happened already.
    ...(from && { pendingSignOut: 'attempted' }),
    plan: () => 'send',
    maySpend: () => false,
    call: () => logIn(from),
    run: () => logIn(from),
    commit: signInCommit,
    present: ([stored]) => [stored, 'this-tab'],
  })

  return async (given) => {
    runtime.disposed.throwIfAborted()
    store.hasDecided = true
    // A login that is under way already: `signIn(fetch('/login'))`.
    const from = isPromise(given) ? ((await given) ?? undefined) : given
    // What the page was handed is written down first: the sign-in comes after it.
    await readiness.pending?.catch(() => {})
    // So is a sign-out that the storage would not take.
    await store.writeSignOut?.()
    if (from === undefined || typeof from === 'function') return void (await exchange(signInOperation(from)))
    const receipt = receiptOf(from)
    const said = await readLogin(backend, from)
    // The login has happened already: what is left is to ask.
    if (said === 'ask') return void (await exchange(signInOperation(undefined)))
    store.adopt(await writeAlone(records, signInCommit({ said, receipt })), 'this-tab')
  }
}
