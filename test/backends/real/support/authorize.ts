// A login at the authorization server, as far as a page has nothing to do with it.

import { createHash, randomBytes } from 'node:crypto'

/** Where it comes back to: nobody is there, since the code is in the address. */
export const REDIRECT = 'https://app.example.test/callback'

/** What its access tokens may be for. */
export const RESOURCES = ['https://one.example.test', 'https://two.example.test']

const base64url = (bytes: Buffer): string => bytes.toString('base64url')

/**
 * Goes the way of an authorization code, as a browser with no cookies would.
 * @returns what its exchange takes: the code, and the proof for it (RFC 7636).
 */
export async function authorize(
  issuer: string,
  { user, redirectUri = REDIRECT, clientId = 'spa' }: { user: string; redirectUri?: string; clientId?: string },
): Promise<Record<string, string>> {
  const verifier = base64url(randomBytes(32))
  const cookies = new Map<string, string>()
  let url = new URL(`${issuer}/auth`)
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid offline_access profile api',
    prompt: 'consent',
    login_hint: user,
    code_challenge: base64url(createHash('sha256').update(verifier).digest()),
    code_challenge_method: 'S256',
  }).toString()
  for (const resource of RESOURCES) url.searchParams.append('resource', resource)
  while (!url.href.startsWith(redirectUri)) {
    const cookie = [...cookies].map((pair) => pair.join('=')).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const each of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(each)!
      cookies.set(name!, value!)
    }
    const next = response.headers.get('location')
    if (!next) throw new Error(`${url}: ${response.status} ${await response.text()}`)
    url = new URL(next, url)
  }
  return {
    grant_type: 'authorization_code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code: url.searchParams.get('code')!,
    code_verifier: verifier,
  }
}
