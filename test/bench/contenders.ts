// Who is measured: a wrapper of ten lines, the best of the other SDKs, and ours. All with a token that is good for long, and
// all over the same stub.
//
// The peer is the fastest fetch wrapper of an SDK that keeps its token fresh by itself. What those that were tried cost, in µs
// over bare fetch with one header of the caller's own, in Chromium and in Node, where the naive wrapper cost 1.8 in both:
//
//   @inrupt/solid-client-authn-core 5.0.0   buildAuthenticatedFetch    2.0   2.0  like 4.0.0, which runs on Node 20 too
//   @nhost/nhost-js 4.3.0                   sessionRefreshMiddleware   165   2.9  a Web Lock for each request
//   @supabase/supabase-js 2.109.0           its client's fetch         5.2     -  wants a WebSocket in Node
//   @auth0/auth0-spa-js 2.28.3              Fetcher, token at hand     5.1   5.1  a new Request
//   @badgateway/oauth2-client 3.3.1         OAuth2Fetch                5.9   9.5  a new Request and a clone
//   @atproto/api 0.19.19                    CredentialSession          7.2   5.6  a new Request
//   @axa-fr/oidc-client 7.29.1              fetchWithTokens             10   7.9
//   supertokens-website 20.1.6              patched fetch              115     -  reads cookies
//
// Not SDKs that refresh, but what is often put in their place: refresh-fetch 0.9.0, whose caller attaches the token, costs what
// the naive wrapper does; wretch 2.11.1 5.3 and 6.8, @better-fetch/fetch 1.3.3 21 and 19, ky 1.14.3 with a hook 29 and 28.
// keycloak-js has no wrapper, and better-auth's is @better-fetch/fetch.

import { buildAuthenticatedFetch } from '@inrupt/solid-client-authn-core'
import { createSession, type Extension, memory, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'

export const origin = typeof location === 'undefined' ? 'https://app.test' : location.origin

/** New each time, as a real one is: to look at its headers for the first time is part of what a wrapper costs. */
export const bare: typeof fetch = async () => new Response(null, { status: 204 })

/** As long as a JWT with few claims. Each character costs: engines check that a header may have it. */
export const token = `header.${'x'.repeat(200)}.signature.${'y'.repeat(43)}`

/** What a page's own ten lines would be. */
export const naive: typeof fetch = async (input, options) => {
  const send = () => {
    const headers = new Headers(options?.headers)
    headers.set('authorization', `Bearer ${token}`)
    return bare(input, { ...options, headers })
  }
  const response = await send()
  return response.status === 401 ? send() : response
}

export const peer = buildAuthenticatedFetch(token, {
  fetch: bare,
  expiresIn: 3600,
  refreshOptions: {
    sessionId: 'bench',
    refreshToken: 'refresh',
    tokenRefresher: { refresh: () => Promise.reject(new Error('Nothing is refreshed here')) },
  },
})

export async function openSession(use: Extension[] = []): Promise<Session> {
  const session = createSession({
    storage: memory(),
    origins: [origin],
    backend: bearer({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/sign-out' }),
    initial: { accessToken: token, expiresInSeconds: 3600 },
    platform: { fetch: bare },
    use,
  })
  await session.ready()
  return session
}
