// The face for cookie sessions, a backend for frontend: /bff/login, /bff/session, /bff/refresh, /bff/logout.
// The cookie is the refresh token of its family, so it rotates at a refresh and a second use of a spent one is theft.

import { empty, json, readJson, type Answer, type Call, type Route, type Routes } from './exchange.ts'
import { count, tokenId } from './stats.ts'
import type { Family } from './tokens.ts'
import { refreshing, type World } from './world.ts'

export const cookieName = 'sample_session'

const setCookie = (value: string, seconds: number) => ({
  'set-cookie': `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}`,
})
const cleared = setCookie('', 0)

/** A custom header forces a preflight, which fends off foreign pages. */
const guarded =
  (route: Route): Route =>
  (call) =>
    call.request.headers.get('x-bff') === '1' ? route(call) : json(403, { error: 'missing_header' }, 'missing header')

export const bffRoutes = (world: World): Routes => {
  const { users, tokens, knobs, records } = world
  const kept = (token: string) => setCookie(token, knobs.sessionLifeSeconds)

  /** expiresAt: of the session; where the page has to refresh, of the token that would be refused. */
  const session = async (family: Family, what: string, headers = {}): Promise<Answer> =>
    json(
      200,
      {
        authenticated: true,
        user: users.get(family.user),
        expiresAt: knobs.bffSilentRefresh ? family.expiresAt : family.access?.expiresAt,
        ...(knobs.bffMediatesToken && {
          accessToken: await family.access?.token,
          expiresIn: knobs.accessTokenLifeSeconds,
        }),
      },
      what,
      { 'cache-control': 'no-store', ...headers },
    )

  const refresh = (call: Call) =>
    refreshing(world, call, (shape) => {
      if (call.cookie) count(records.stats.refreshTokenUses, tokenId(call.cookie))
      const grant = tokens.rotate(call.cookie, shape)
      return typeof grant === 'string'
        ? json(401, { error: grant }, grant, cleared)
        : session(grant.family, 'rotated', kept(grant.refreshToken))
    })

  return {
    'POST /bff/login': guarded(async ({ request }) => {
      const { username, password } = await readJson(request)
      const user = users.signIn(username, password)
      if (!user) return json(401, { error: 'wrong_password' }, 'wrong password')
      const grant = tokens.open(user.id)
      return session(grant.family, 'signed in', kept(grant.refreshToken))
    }),
    // A spent cookie of a living session still tells whose it is: it may have crossed a refresh on the wire.
    'GET /bff/session': guarded(({ cookie }) => {
      const family = tokens.familyOf(cookie)
      return family ? session(family, 'session') : json(200, { authenticated: false }, 'no session')
    }),
    'POST /bff/refresh': guarded(refresh),
    'POST /bff/logout': guarded(({ cookie }) => {
      const family = tokens.familyOf(cookie)
      if (family) tokens.end(family)
      return empty(204, 'signed out', cleared)
    }),
  }
}
