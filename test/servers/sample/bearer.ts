// The face for JSON tokens: /auth/login, /auth/refresh, /auth/logout, /auth/user.

import { empty, json, readJson, type Answer, type Routes } from './exchange.ts'
import { authorized, unauthorized } from './api.ts'
import { count, tokenId } from './stats.ts'
import type { Grant } from './tokens.ts'
import { refreshing, type World } from './world.ts'

export const bearerRoutes = (world: World): Routes => {
  const { users, tokens, knobs, records } = world
  const answer = async ({ family, access, refreshToken, shape }: Grant, what: string): Promise<Answer> => {
    const user = { ...users.get(family.user) }
    const expiresIn = shape === 'negative' ? -1 : knobs.accessTokenLifeSeconds
    const silent = shape === 'no-expiry' || shape === 'past-exp'
    return json(200, { accessToken: await access.token, refreshToken, ...(!silent && { expiresIn }), user }, what)
  }

  return {
    'POST /auth/login': async ({ request }) => {
      const { username, password } = await readJson(request)
      const user = users.signIn(username, password)
      return user ? answer(tokens.open(user.id), 'signed in') : json(401, { error: 'wrong_password' }, 'wrong password')
    },
    'POST /auth/refresh': async (call) => {
      const { refreshToken } = await readJson(call.request)
      return refreshing(world, call, (shape) => {
        const token = String(refreshToken)
        count(records.stats.refreshTokenUses, tokenId(token))
        const grant = tokens.rotate(token, shape)
        return typeof grant === 'string' ? json(401, { error: grant }, grant) : answer(grant, 'rotated')
      })
    },
    'POST /auth/logout': async ({ request }) => {
      const { refreshToken } = await readJson(request)
      const family = tokens.familyOf(String(refreshToken))
      if (family) tokens.end(family)
      return empty(204, 'signed out')
    },
    'GET /auth/user': (call) => {
      const user = authorized(world, call)
      return user ? json(200, users.get(user), 'user') : unauthorized(call)
    },
  }
}
