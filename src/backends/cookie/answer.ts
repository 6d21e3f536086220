// How the answers of a server read that keeps the session in a cookie: somebody, nobody, or nothing that tells.

import { RefreshFailedError } from '../../errors.ts'
import { type Credentials, type Json, withoutUndefined } from '../../state/credentials.ts'
import { readJsonOrNull } from '../kit.ts'

/**
 * What an answer says; `null`: nobody is signed in; `undefined`: it says nothing of a session. Whatever JSON the server sends
 * comes in, also a list.
 */
// As from `response.json()`: the app knows what its server sends.
// oxlint-disable-next-line typescript/no-explicit-any
export type ReadAnswer<U> = (body: any) => Credentials<U> | null | undefined

/** Reads `user`, `accessToken`, `expiresIn` (seconds), `organizationId` and `authenticated`. */
export function readUsualNames<U>(body: Json): Credentials<U> | null | undefined {
  const { authenticated, user, accessToken, expiresIn, organizationId } = body
  const token = typeof accessToken === 'string' && accessToken ? accessToken : undefined
  const seconds = Number(expiresIn) > 0 ? Number(expiresIn) : undefined
  if (authenticated === false) return null
  const saysMore = authenticated === true || token !== undefined || seconds !== undefined
  if (!saysMore && user == null) return user
  return withoutUndefined({
    // A refresh that leaves the user out leaves the user as it was.
    user: user as U | null | undefined,
    accessToken: token,
    expiresInSeconds: seconds,
    organizationId: typeof organizationId === 'string' ? organizationId : undefined,
  })
}

// What most often is wrong where the route answers with that.
const HINTS: { readonly [status: number]: string | undefined } = {
  403: ': does it want a header that `headers` or `csrf` could send?',
  404: ': there is no such route',
  405: ': there is no such route for that method',
}

/** The JSON of a successful answer; `null`: it is that, or nothing. @throws {@link RefreshFailedError} */
export async function readBody(response: Response): Promise<Json | null> {
  const hint = HINTS[response.status]
  if (hint) throw new RefreshFailedError(`answered ${response.status}${hint}`, { refusal: response })
  return readJsonOrNull(response)
}

/** For an answer that says nothing of a session: names what it has, never a value. */
export function unreadable(body: Json): RefreshFailedError {
  const found = Array.isArray(body) ? `is a list of ${body.length}` : `has ${Object.keys(body).join(', ') || 'nothing'}`
  return new RefreshFailedError(
    `the answer has none of "user", "accessToken" and "authenticated" (it ${found}): say with cookie({ read }) what it means`,
  )
}
