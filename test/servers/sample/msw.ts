// The sample server behind msw: one handler for everything below its paths, in a page or in Node.

import { http, HttpResponse, passthrough, type HttpHandler } from 'msw'
import { cookieName } from './bff.ts'
import { isSamplePath, type SampleServer } from './server.ts'

/** @param origin Of the server that is played. @default any */
export const sampleHandler = (server: SampleServer, origin = '*'): HttpHandler =>
  http.all(`${origin}/*`, async ({ request, cookies }) => {
    if (!isSamplePath(new URL(request.url).pathname)) return passthrough()
    // A worker never sees the Cookie header, and its Response may not carry Set-Cookie: msw has its own way for both.
    const value = cookies[cookieName]
    const answer = await server.handle(request, {
      ...(value && { cookie: `${cookieName}=${value}` }),
      respond: (body, init) => new HttpResponse(body, init),
    })
    return answer === 'drop' ? HttpResponse.error() : answer
  })
