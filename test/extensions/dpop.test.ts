// That the seam holds: DPoP (RFC 9449) over a backend and an extension alone, written here as somebody outside would write it.
// `attach` signs, so it answers with a promise; a nonce challenge is "send again, no refresh".

import { calculateJwkThumbprint, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { type Backend, createSession, type Extension } from 'resesh'
import { oauth2 } from 'resesh/backends/oauth2'
import { expect, onTestFinished, test } from 'vitest'
import { url } from '../support/session.ts'

const digest = async (text: string): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('base64url')

/** Any backend, with its tokens bound to a key. */
async function dpop(backend: Backend): Promise<Backend> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const nonces = new Map<string, string>()

  async function prove(method: string, target: string, accessToken?: string): Promise<string> {
    const { origin, pathname } = new URL(target)
    const nonce = nonces.get(origin)
    const ath = accessToken && (await digest(accessToken))
    const claims = { htm: method, htu: origin + pathname, ...(ath && { ath }), ...(nonce && { nonce }) }
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .sign(privateKey)
  }

  const remember = ({ url: from, headers }: Response): void => {
    const nonce = headers.get('dpop-nonce')
    if (nonce) nonces.set(new URL(from).origin, nonce)
  }

  /** Proves each call of the backend's own, and once more where the server wants a nonce (RFC 9449 §8). */
  const proving =
    (plain: typeof fetch): typeof fetch =>
    async (input, init) => {
      const send = async (): Promise<Response> => {
        const headers = new Headers(init?.headers)
        headers.set('dpop', await prove(init?.method ?? 'GET', new Request(input).url))
        const response = await plain(input, { ...init, headers })
        remember(response)
        return response
      }
      const response = await send()
      const isNonce = response.status === 400 && (await response.clone().json()).error === 'use_dpop_nonce'
      return isNonce ? send() : response
    }

  const nonce: Extension = {
    name: 'dpop-nonce',
    setup: () => ({
      observe({ response }) {
        remember(response)
        return undefined
      },
      judge({ response: { status, headers } }) {
        const isNonce = status === 401 && /error="use_dpop_nonce"/.test(headers.get('www-authenticate') ?? '')
        return isNonce ? 'replay' : undefined
      },
    }),
  }

  return {
    ...backend,
    use: [nonce],
    async attach(headers, credentials, request) {
      const token = credentials?.accessToken
      if (!token) return
      headers.set('authorization', `DPoP ${token}`)
      headers.set('dpop', await prove(request.method, request.url, token))
      return { redirect: 'error' }
    },
    refresh: (held, io, wanted) => backend.refresh(held, { ...io, fetch: proving(io.fetch) }, wanted),
  }
}

/** A resource and a token endpoint that want a nonce, and no proof twice. */
const server = () => {
  const proofs = new Set<string>()
  const seen = { requests: 0, refreshes: 0, challenges: 0, thumbprints: new Set<string>(), nonce: 'n1', live: 'first' }

  async function isProof(request: Request, accessToken?: string): Promise<'ok' | 'nonce' | 'bad'> {
    const proof = request.headers.get('dpop')!
    const { jwk } = decodeProtectedHeader(proof)
    const { payload } = await jwtVerify(proof, jwk!, { typ: 'dpop+jwt' })
    seen.thumbprints.add(await calculateJwkThumbprint(jwk!))
    const isFresh = !proofs.has(payload.jti!)
    proofs.add(payload.jti!)
    const isBound = payload['htm'] === request.method && payload['htu'] === request.url
    const isForToken = !accessToken || payload['ath'] === (await digest(accessToken))
    if (!isFresh || !isBound || !isForToken) return 'bad'
    return payload['nonce'] === seen.nonce ? 'ok' : 'nonce'
  }

  const at = (response: Response, { url: asked }: Request): Response =>
    Object.defineProperty(response, 'url', { value: asked })

  const fetch: typeof globalThis.fetch = async (...args) => {
    const request = new Request(...args)
    const headers = { 'dpop-nonce': seen.nonce }
    if (request.url === url('/token')) {
      const verdict = await isProof(request)
      if (verdict === 'nonce') return at(Response.json({ error: 'use_dpop_nonce' }, { status: 400, headers }), request)
      if (verdict === 'bad') return at(Response.json({ error: 'invalid_dpop_proof' }, { status: 400 }), request)
      seen.refreshes++
      seen.live = `token-${seen.refreshes}`
      return at(Response.json({ access_token: seen.live, refresh_token: `r${seen.refreshes}` }, { headers }), request)
    }
    seen.requests++
    const token = /^DPoP (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
    const verdict = await isProof(request, token)
    const refuse = (error: string) => {
      const challenge = { ...headers, 'www-authenticate': `DPoP error="${error}"` }
      return at(new Response(null, { status: 401, headers: challenge }), request)
    }
    if (verdict === 'nonce') {
      seen.challenges++
      return refuse('use_dpop_nonce')
    }
    return token === seen.live && verdict === 'ok'
      ? at(new Response('ok', { headers }), request)
      : refuse('invalid_token')
  }
  return { fetch, seen }
}

test('a nonce challenge, an expiry and twenty requests: one refresh, each proof used once, no change of the core', async () => {
  const { fetch, seen } = server()
  const backend = await dpop(oauth2({ tokenEndpoint: url('/token'), clientId: 'spa' }))
  const initial = { accessToken: 'first', refreshToken: 'r0' }
  const session = createSession({ backend, initial, origins: [url('')], platform: { fetch } })
  onTestFinished(session.dispose)

  expect(await (await session.fetch(url('/api'), { method: 'POST', body: 'x' })).text()).toBe('ok')
  expect(seen).toMatchObject({ requests: 2, challenges: 1, refreshes: 0 })

  seen.live = 'something else'
  seen.nonce = 'n2'
  const answers = await Promise.all(Array.from({ length: 20 }, (_, nth) => session.fetch(url(`/api/${nth}`))))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(seen.refreshes).toBe(1)
  expect(seen.thumbprints.size).toBe(1)
})
