// What a login answered, as credentials: read in the words of the server, as the backend knows them, and in those of this SDK.

import { isEmpty, readJson } from '../runtime/read-json.ts'
import { InvalidOptionError, RefreshFailedError, SessionError, SignInRefusedError } from '../errors.ts'
import type { Backend } from '../seam/backend.ts'
import { type Credentials, type Json, withoutUndefined } from '../state/credentials.ts'
import { assertNothingMissed, hasOwnWords, NOBODY, ownWords, refuseAnswer } from './answers.ts'

/**
 * What the login route answered: the `Response`, or its JSON. It is read as the backend reads the answer to a refresh. The names of
 * {@link Credentials} count for every backend, and `expiresIn`, in seconds.
 */
export type LoginAnswer<U = Json> =
  | Credentials<U>
  | Response
  // Whatever names the server has; but a function is no answer.
  | (object & { bind?: never; user?: object | null })

/** Whatever fetch it comes from. */
export const isResponse = (said: unknown): said is Response => {
  const { status, clone } = Object(said) as Partial<Response>
  return typeof status === 'number' && typeof clone === 'function'
}

/**
 * @returns `'ask'`: the login is done, and only the server can tell who is signed in.
 * @throws {@link SignInRefusedError} for a login that was refused, {@link InvalidTokenError} for an answer without a token.
 */
export async function readLogin<U>(backend: Backend<U>, said: unknown): Promise<Credentials<U> | 'ask'> {
  const mustAsk = !!backend.restore && !backend.readAnswer
  if (!isResponse(said)) return mustAsk && isSilent(said) ? 'ask' : readWords(backend, said)
  if (!said.ok)
    throw new SignInRefusedError(`The login was refused: it ${describe(said)}.${cureFor(said)} ${NOBODY}.`, {
      refusal: said,
    })
  if (mustAsk) return 'ask'
  if (said.bodyUsed) throw new InvalidOptionError('signIn', 'got a response whose body was already read: pass its JSON')
  const json = (await isEmpty(said)) ? null : await readJson(said.clone()).catch((cause) => refuseAnswer(cause, said))
  return !json && backend.restore ? 'ask' : readWords(backend, json ?? {}, said)
}

/** JSON such as `{ ok: true }` from a login that has set a cookie says nothing of who is signed in. */
const isSilent = (said: unknown): boolean =>
  !!said && typeof said === 'object' && !Array.isArray(said) && !hasOwnWords(said)

const describe = ({ status }: Response): string => (status ? `answered ${status}` : 'answered with a redirect')

async function readWords<U>(backend: Backend<U>, said: unknown, response?: Response): Promise<Credentials<U>> {
  const own = ownWords<U>(said)
  if (!backend.readAnswer) return own
  const json = said as Json
  const hasOwnToken = [own.accessToken, own.refreshToken].some((token) => !!token && typeof token === 'string')
  const read = await readAsBackend(backend, json, response).catch((error: unknown) => {
    const isUnreadable = error instanceof RefreshFailedError || !(error instanceof SessionError)
    if (!isUnreadable) throw error
    return hasOwnToken ? {} : refuseAnswer(error, response)
  })
  const credentials = hasOwnToken ? { ...own, ...withoutUndefined(read) } : read
  assertNothingMissed(backend, credentials, json)
  return credentials
}

/** What looks like a refused password, and is none. */
function cureFor({ status }: Response): string {
  if (status === 404 || status === 405)
    return ' There is no such route: check the URL and the method of your login request.'
  return status === 429 || status >= 500 ? ' That says nothing of the password: try again later.' : ''
}

async function readAsBackend<U>(backend: Backend<U>, json: Json, response?: Response): Promise<Credentials<U>> {
  const read = await backend.readAnswer!(json, response)
  if (read) return read
  throw new SignInRefusedError(`The login was refused: its answer says so. ${NOBODY}.`, { refusal: response })
}
