// What WorkOS says of a session, whoever is asked: its own endpoint in snake_case, a Next.js app's route in camelCase.

import { claimsOf, type Credentials, type Json } from '../../state/credentials.ts'
import { RefreshFailedError, StepUpRequiredError } from '../../errors.ts'
import { missingField, peek } from '../kit.ts'

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
const STEP_UP =
  /^(sso_required|mfa_enrollment|mfa_challenge|organization_selection_required|email_verification_required)$/

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
    user: camel(user as Json) as unknown as WorkOSUser,
    organizationId: (organizationId ?? org_id ?? null) as string | null,
    claims: { ...token, ...Object.fromEntries(said) },
  }
}

/**
 * Both shapes of refusal: OAuth's `{ error }`, and the API's `{ code }`. `null`: the session is over.
 * @throws {@link StepUpRequiredError}, {@link RefreshFailedError}
 */
export async function refused(response: Response, organizationId?: string): Promise<null> {
  const { error, code, pendingAuthenticationToken, ...rest } = camel((await peek(response)) ?? {})
  const { authkitRedirectUrl, redirectUrl = authkitRedirectUrl } = rest
  const type = String(error ?? code)
  if (type === OVER) return null
  if (!STEP_UP.test(type)) throw new RefreshFailedError(`answered ${response.status}`, { refusal: response })
  throw new StepUpRequiredError(
    {
      type,
      ...(typeof redirectUrl === 'string' && { url: redirectUrl }),
      ...(organizationId && { organizationId }),
      ...(pendingAuthenticationToken !== undefined && { pendingAuthenticationToken }),
    },
    { refusal: response },
  )
}
