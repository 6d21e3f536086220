// What WorkOS says of a session, whoever is asked: its own endpoint in snake_case, a Next.js app's route in camelCase.

import { claimsOf, type Credentials, type Json } from '../../state/credentials.ts'
import { type Challenge, StepUpRequiredError } from '../../errors.ts'
import { missingField, peek } from '../kit.ts'
import { refusalOf } from '../kit/server-words.ts'

/** `state.user`, as in the documentation of WorkOS. */
export interface WorkOSUser {
  id: string
  email: string
  emailVerified: boolean
  firstName: string | null
  lastName: string | null
  profilePictureUrl: string | null
  lastSignInAt: string | null
  externalId: string | null
  createdAt: string
  updatedAt: string
}

/** `state.claims`: the payload of the access token, under the names of the documentation too. */
export interface WorkOSClaims {
  sub: string
  sessionId: string
  role?: string
  roles?: string[]
  permissions?: string[]
  entitlements?: string[]
  featureFlags?: string[]
  impersonator?: { email: string; reason: string | null } | null
  authenticationMethod?: string
  [claim: string]: unknown
}

// Everything else that is refused says nothing about the session either; only this ends it.
const OVER = 'invalid_grant'
// Others are told by the pending token that they carry.
const STEP_UP =
  /^(sso_required|mfa_\w+|organization_selection_required|organization_authentication_methods_required|email_verification_required)$/
const SECRET = /token$/i
// As `type` and `url`, or in a text for developers.
const SAID_ELSEWHERE = /^(error|code|message|errorDescription|redirectUrl|authkitRedirectUrl)$/

const camel = (json: Json): Json =>
  Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()), value]),
  )

/**
 * What the code exchange answers, for `session.signIn`.
 * @throws {@link RefreshFailedError} for an answer without an access token.
 */
export function fromAuthenticateResponse(body: Json): Credentials<WorkOSUser> {
  const { user, accessToken, refreshToken, organizationId, ...rest } = camel(body)
  if (typeof accessToken !== 'string' || !accessToken) throw missingField('accessToken', body)
  const token = claimsOf(accessToken)
  const { sid, feature_flags, org_id } = token ?? {}
  const { role, roles, permissions, entitlements, impersonator, authenticationMethod } = rest
  const { sessionId = sid, featureFlags = feature_flags } = rest
  const info = { sessionId, role, roles, permissions, entitlements, featureFlags, impersonator, authenticationMethod }
  const said = Object.entries(info).filter(([, value]) => value !== undefined)
  return {
    accessToken,
    ...(typeof refreshToken === 'string' && { refreshToken }),
    ...(!!user && typeof user === 'object' && { user: camel(user as Json) as unknown as WorkOSUser }),
    organizationId: (organizationId ?? org_id ?? null) as string | null,
    claims: { ...token, ...Object.fromEntries(said) },
  }
}

/**
 * Both shapes of refusal: OAuth's `{ error }`, and the API's `{ code }`. `null`: the session is over.
 * @throws {@link StepUpRequiredError}, {@link RefreshFailedError}
 */
export async function refused(response: Response, organizationId?: string): Promise<null> {
  const body = await peek(response)
  const said = camel(body ?? {})
  const type = String(said['error'] ?? said['code'])
  if (type === OVER) return null
  const isStepUp = STEP_UP.test(type) || said['pendingAuthenticationToken'] !== undefined
  if (!isStepUp) throw refusalOf(response, body)
  throw new StepUpRequiredError(challengeOf(type, said, organizationId), { refusal: response })
}

/** What the user has to do, and with what. */
function challengeOf(type: string, said: Json, organizationId: string | undefined): Challenge {
  const { redirectUrl = said['authkitRedirectUrl'] } = said
  const names = Object.keys(said).filter((name) => !SAID_ELSEWHERE.test(name))
  const challenge: Challenge = {
    ...Object.fromEntries(names.filter((name) => !SECRET.test(name)).map((name) => [name, said[name]])),
    type,
    ...(typeof redirectUrl === 'string' && { url: redirectUrl }),
    ...(organizationId && { organizationId }),
  }
  // There for a handler that asks for it by name; not enumerable, so that no log and no JSON of the error has it.
  for (const name of names.filter((each) => SECRET.test(each)))
    Object.defineProperty(challenge, name, { value: said[name] })
  return challenge
}
