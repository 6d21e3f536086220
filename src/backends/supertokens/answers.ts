// What SuperTokens says of a session in the headers of a response, and what the vendor's SDK keeps of that in a browser.

import { claimsOf, type Credentials, type Json } from '../../state/credentials.ts'
import { inherit } from '../kit/inherit.ts'
import type { Predecessor } from '../../seam/backend.ts'

const LAST_UPDATE = 'st-last-access-token-update'

/** The header that marks a session. */
export type Mark = 'front-token' | 'id-refresh-token'

/** What a response says of the session. A proxy may drop empty headers, so that `remove` alone clears everything. */
export function read({ headers }: Response, mark: Mark): Credentials | null | undefined {
  const marker = headers.get(mark)
  if (marker === null) return undefined
  if (marker === 'remove') return null
  const antiCsrf = headers.get('anti-csrf')
  return {
    // Sent on an ordinary response without a refresh token: that one goes on. Empty means delete.
    ...readToken('accessToken', headers.get('st-access-token')),
    ...readToken('refreshToken', headers.get('st-refresh-token')),
    ...readFront(headers.get('front-token')),
    ...(antiCsrf && { data: { antiCsrf } }),
  }
}

/** Standard base64 with UTF-8 inside; decoded like the middle of a JWT, which allows that alphabet too. */
function readFront(token: string | null | undefined): Credentials {
  const front = claimsOf(`.${token ?? ''}`) as { uid: string; ate: number; up?: Json } | null
  return front ? { user: { id: front.uid }, claims: front.up, expiresAt: front.ate } : {}
}

const readToken = (name: 'accessToken' | 'refreshToken', header: string | null): Credentials =>
  header === null ? {} : { [name]: header || null }

/** What `supertokens-website` keeps, from 16 on. In cookie mode the server's answer to a refresh tells the rest. */
export const websiteSdk = (mode: 'cookie' | 'header'): Predecessor =>
  inherit({ cookies: ['st-access-token', 'st-refresh-token', 'sFrontToken', 'sAntiCsrf', LAST_UPDATE] }, (found) => {
    const [accessToken, refreshToken, antiCsrf] = [
      found['st-access-token'],
      found['st-refresh-token'],
      found['sAntiCsrf'],
    ]
    // Its mark of a session that is over.
    if (found[LAST_UPDATE] && !found['sFrontToken']) return null
    if (mode === 'cookie') return antiCsrf ? { data: { antiCsrf } } : null
    if (!refreshToken) return null
    return { ...(accessToken && { accessToken }), refreshToken, ...readFront(found['sFrontToken']) }
  })

/** What it kept before 16: the token against forgery, in localStorage and later in a cookie. */
export const LEGACY_SDK: Predecessor = inherit(
  { cookies: ['sAntiCsrf', 'sIRTFrontend', 'sFrontToken'], items: ['anti-csrf-localstorage'] },
  (found) => {
    const antiCsrf = found['sAntiCsrf'] ?? found['anti-csrf-localstorage']
    return antiCsrf ? { data: { antiCsrf } } : null
  },
)
