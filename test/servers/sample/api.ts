// The protected API: it takes an access token or the session cookie, and knows no face of its own.

import {
  empty,
  html,
  json,
  readJson,
  withFault,
  type Answer,
  type Call,
  type Outcome,
  type Route,
  type Routes,
} from './exchange.ts'
import { delay } from './faults.ts'
import { count } from './stats.ts'
import type { World } from './world.ts'

const bearerOf = ({ request }: Call) => /^bearer (.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1]

/** The user id, or undefined where the credentials are not accepted. A bearer token goes before the cookie. */
export const authorized = ({ tokens, knobs, records }: World, call: Call): string | undefined => {
  const token = bearerOf(call)
  if (token !== undefined) {
    const access = tokens.accept(token)
    if (access) count(records.stats.accessTokenUses, access.id)
    return access?.family.user
  }
  const family = tokens.familyOf(call.cookie, true)
  if (!family) return undefined
  let { access } = family
  if (!access || !tokens.isLive(access)) {
    if (!knobs.bffSilentRefresh) return undefined
    records.stats.silentRefreshes++
    access = tokens.renew(family)
  }
  count(records.stats.accessTokenUses, access.id)
  return family.user
}

/** RFC 6750 §3: a challenge without an error means that no token was sent. */
export const unauthorized = (call: Call): Answer =>
  bearerOf(call) === undefined
    ? json(401, { error: call.cookie ? 'session_expired' : 'signed_out' }, 'refused', { 'www-authenticate': 'Bearer' })
    : json(401, { error: 'invalid_token' }, 'refused', { 'www-authenticate': 'Bearer error="invalid_token"' })

const base64 = (bytes: Uint8Array) => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}
const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

const echo: Route = async ({ request, url }) => {
  const bytes = new Uint8Array(await request.arrayBuffer())
  const sha256 = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
  const { method, headers } = request
  return json(200, {
    method,
    path: url.pathname + url.search,
    headers: Object.fromEntries(headers),
    body: base64(bytes),
    size: bytes.length,
    sha256,
  })
}

type UserRoute = (call: Call, user: string) => Outcome | Promise<Outcome>

export const apiRoutes = (world: World): Routes => {
  const {
    users,
    knobs,
    records: { stats },
  } = world

  // Judged at arrival, before the body is read: an answer that comes late still speaks of then.
  const open =
    (route: UserRoute): Route =>
    (call) => {
      stats.api++
      const user = knobs.alwaysExpired ? undefined : authorized(world, call)
      const { apiDelayMs } = knobs
      return withFault(knobs.apiFailures.shift(), apiDelayMs, call, () =>
        user === undefined ? unauthorized(call) : route(call, user),
      )
    }

  return {
    'GET /api/me': open((_, user) => json(200, users.get(user), 'profile')),
    'PATCH /api/me': open(async ({ request }, user) =>
      json(200, users.edit(user, await readJson(request)), 'edited', {
        ...(knobs.editSays && { 'refresh-session': knobs.editSays }),
      }),
    ),
    'GET /api/items/*': open(({ url }) => json(200, { item: Number(url.pathname.split('/').at(-1)) }, 'item')),
    '* /api/echo': open(echo),
    'POST /api/orders': open(async ({ request }) => {
      const { id } = await readJson(request)
      count(stats.orders, String(id))
      return json(201, { id, accepted: stats.orders[String(id)] }, 'order')
    }),
    '* /api/refused': open((call) => unauthorized(call)),
    'GET /api/slow': open(({ url }) =>
      delay(Number(url.searchParams.get('ms') ?? 1000)).then(() => json(200, { slow: true })),
    ),
    'GET /api/html': open(() => html('page')),
    'GET /api/empty': open(() => empty(204)),
  }
}
