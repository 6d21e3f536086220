// supertokens-node with its session recipe, over a core of our own, and an app's API behind it: `/api/me` trusts a token until it
// dies, `/api/checked` asks the core, `/api/vault` demands a claim.

import type { IncomingMessage } from 'node:http'
import type { Json } from 'resesh'
import supertokens from 'supertokens-node'
import {
  CollectingResponse,
  errorHandler,
  middleware,
  PreParsedRequest,
} from 'supertokens-node/framework/custom/index.js'
import Session from 'supertokens-node/recipe/session/index.js'
import { toNode } from '../../../servers/sample/node.ts'
import { Users } from '../../../servers/sample/profile.ts'
import { serve } from '../support/child.ts'
import { startCore } from './supertokens-core.ts'

export interface Options {
  antiCsrf?: 'VIA_CUSTOM_HEADER' | 'VIA_TOKEN'
  /** @default 401 */
  expiredStatus?: number
  /** @default '/auth' */
  path?: string
  /** The access token is in a header as well, for scripts to read. */
  isExposed?: boolean
  /** Pages of `http://localhost` may use it too, which is another site. */
  isForeign?: boolean
}

export type Controls = Awaited<ReturnType<typeof create>>['controls']

const lifeMs = 3_600_000

async function create(
  origin: string,
  { antiCsrf, expiredStatus = 401, path: apiBasePath = '/auth', isExposed = false, isForeign }: Options,
) {
  const trusted = isForeign ? origin.replace('127.0.0.1', 'localhost') : undefined
  const users = new Users()
  const core = await startCore(lifeMs)
  const seen: { path: string; mode: string | undefined; hasBearer: boolean }[] = []
  let isVaultOpen = false
  let isSilent = false

  supertokens.init({
    framework: 'custom',
    telemetry: false,
    supertokens: { connectionURI: core.url },
    appInfo: { appName: 'app', apiDomain: origin, websiteDomain: trusted ?? origin, apiBasePath, websiteBasePath: '/' },
    recipeList: [
      Session.init({
        sessionExpiredStatusCode: expiredStatus,
        exposeAccessTokenToFrontendInCookieBasedAuth: isExposed,
        olderCookieDomain: 'old.example.test',
        ...(antiCsrf && { antiCsrf }),
      }),
    ],
  })

  type Asked = InstanceType<typeof PreParsedRequest>
  type Answer = InstanceType<typeof CollectingResponse>
  const vault = {
    id: 'st-ev',
    validate: async () =>
      isVaultOpen ? { isValid: true as const } : { isValid: false as const, reason: { message: 'wrong' } },
  }

  async function api(path: string, asked: Asked, answer: Answer, request: Request): Promise<void> {
    if (path === `${apiBasePath}/signin`) {
      const { user } = (await request.json()) as { user: string }
      const { name } = users.get(user)
      await Session.createNewSession(asked, answer, 'public', supertokens.convertToRecipeUserId(user), {
        name,
        greeting: 'Grüß dich ✓ ÿÿÿ',
      })
      return answer.sendJSONResponse({ status: 'OK' })
    }
    const session = await Session.getSession(asked, answer, {
      checkDatabase: path === '/api/checked',
      ...(path === '/api/vault' && { overrideGlobalClaimValidators: () => [vault] }),
    })
    answer.sendJSONResponse(users.get(session.getUserId()))
  }

  async function handle(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const { headers, method, url } = request
    if (trusted && method === 'OPTIONS') return withCors(new Response(null, { status: 204 }))
    const cookies = (headers.get('cookie') ?? '').split('; ').map((pair) => pair.split(/=(.*)/s).slice(0, 2))
    const asked = new PreParsedRequest({
      url,
      method: method.toLowerCase() as 'get',
      headers,
      cookies: Object.fromEntries(cookies) as Record<string, string>,
      query: Object.fromEntries(searchParams),
      getJSONBody: () => request.json(),
      getFormBody: () => request.formData(),
    })
    const answer = new CollectingResponse()
    try {
      const { handled, error } = await middleware()(asked, answer)
      if (error) throw error
      if (!handled) await api(pathname, asked, answer, request)
    } catch (error) {
      await errorHandler()(error, asked, answer, (unknown) => {
        answer.setStatusCode(500)
        answer.sendJSONResponse({ message: String(unknown) })
      })
    }
    const response = new Response(answer.body ?? null, { status: answer.statusCode, headers: answer.headers })
    for (const cookie of answer.cookies) response.headers.append('set-cookie', written(cookie))
    return withCors(response)
  }

  const written = ({ key, value, path, domain, httpOnly, sameSite, expires }: Answer['cookies'][number]): string =>
    [
      `${key}=${value}; Path=${path}; Expires=${new Date(expires).toUTCString()}; SameSite=${sameSite}`,
      ...(domain ? [`Domain=${domain}`] : []),
      ...(httpOnly ? ['HttpOnly'] : []),
    ].join('; ')

  /** What an app of another origin has to send: the SDK itself lists the headers to expose. */
  function withCors(response: Response): Response {
    if (!trusted) return response
    response.headers.set('access-control-allow-origin', trusted)
    response.headers.set('access-control-allow-credentials', 'true')
    response.headers.set(
      'access-control-allow-headers',
      ['content-type', ...supertokens.getAllCORSHeaders()].join(', '),
    )
    response.headers.set('access-control-allow-methods', 'GET, POST, PATCH')
    if (isSilent) response.headers.delete('access-control-expose-headers')
    return response
  }

  const listen = toNode({ handle })
  return {
    listen(...[message, response]: Parameters<typeof listen>) {
      const { authorization, 'st-auth-mode': mode } = message.headers
      seen.push({ path: message.url!, mode: mode as string | undefined, hasBearer: authorization !== undefined })
      void listen(message, response)
    },
    renews: ({ url, method }: IncomingMessage) => method === 'POST' && url === `${apiBasePath}/session/refresh`,
    controls: {
      reset() {
        users.clear()
        core.clear()
        seen.length = 0
        isVaultOpen = isSilent = core.isDown = false
      },
      revoke: (user: string) => Session.revokeAllSessionsForUser(user),
      async edit(user: string, changes: Json) {
        users.edit(user, changes)
        for (const id of await Session.getAllSessionHandlesForUser(user))
          await Session.mergeIntoAccessTokenPayload(id, changes as Record<string, string>)
      },
      living: () => core.sessions.size,
      open: () => void (isVaultOpen = true),
      coreIs: (down: boolean) => void (core.isDown = down),
      /** It forgets to expose its headers to pages of another origin. */
      expose: (exposes: boolean) => void (isSilent = !exposes),
      /** The requests, and the mode that each asked for. */
      seen: () => seen,
    },
  }
}

await serve(create)
