// The face for OAuth 2: /oauth/token (RFC 6749), /oauth/revoke (RFC 7009), /oauth/userinfo (OpenID Connect Core §5.3).

import { authorized, unauthorized } from './api.ts'
import { empty, json, type Answer, type Routes } from './exchange.ts'
import { count, tokenId } from './stats.ts'
import type { Grant } from './tokens.ts'
import { refreshing, type World } from './world.ts'

const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' }
const refuse = (error: string): Answer => json(400, { error }, error, noStore)

export const oauthRoutes = (world: World): Routes => {
  const { users, tokens, knobs, records } = world
  const answer = async ({ access, refreshToken, shape }: Grant, what: string): Promise<Answer> => {
    const expires_in = shape === 'negative' ? -1 : knobs.accessTokenLifeSeconds
    const silent = shape === 'no-expiry' || shape === 'past-exp'
    const body = {
      access_token: await access.token,
      token_type: 'Bearer',
      refresh_token: refreshToken,
      scope: 'openid profile',
    }
    return json(200, { ...body, ...(!silent && { expires_in }) }, what, noStore)
  }

  return {
    'POST /oauth/token': async (call) => {
      const isForm = call.request.headers.get('content-type')?.startsWith('application/x-www-form-urlencoded')
      const form = new URLSearchParams(isForm ? await call.request.text() : '')
      const grantType = form.get('grant_type')
      if (!grantType || !form.get('client_id')) return refuse('invalid_request')
      if (grantType === 'password') {
        const user = users.signIn(form.get('username'), form.get('password'))
        return user ? answer(tokens.open(user.id), 'signed in') : refuse('invalid_grant')
      }
      if (grantType !== 'refresh_token') return refuse('unsupported_grant_type')
      const token = form.get('refresh_token')
      if (!token) return refuse('invalid_request')
      return refreshing(world, call, (shape) => {
        count(records.stats.refreshTokenUses, tokenId(token))
        const grant = tokens.rotate(token, shape)
        // RFC 6749 §5.2 has one word for both: only the log tells theft from an end.
        return typeof grant === 'string' ? { ...refuse('invalid_grant'), what: grant } : answer(grant, 'rotated')
      })
    },
    'POST /oauth/revoke': async ({ request }) => {
      const token = new URLSearchParams(await request.text()).get('token')
      if (!token) return refuse('invalid_request')
      const family = tokens.familyOf(token) ?? tokens.accept(token)?.family
      if (family) tokens.end(family)
      return empty(200, 'revoked')
    },
    'GET /oauth/userinfo': (call) => {
      const id = authorized(world, call)
      return id ? json(200, { sub: id, ...users.get(id) }, 'user') : unauthorized(call)
    },
  }
}
