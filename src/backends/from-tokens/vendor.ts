// What a vendor's SDK is asked for, and how its answers read: a token, a token with more about it, or nobody.

import { claimsOf, type Credentials, isOlder, type Json, withoutUndefined } from '../../state/credentials.ts'
import type { Awaitable } from '../../seam/io.ts'
import { missingField } from '../kit.ts'

/** A token, or more about it; nothing: nobody is signed in. */
export type VendorAnswer<U = Json> =
  | string
  | Pick<Credentials<U>, 'accessToken' | 'user' | 'claims' | 'organizationId' | 'expiresAt'>
  | null
  | undefined

export interface Vendor<U> {
  /** What the SDK holds. @throws what the SDK throws */
  held(now: number): Promise<Credentials<U> | null>
  /** A new token. @throws what the SDK throws */
  renewed(now: number): Promise<Credentials<U> | null>
  /** What it said last; `undefined`: it was not asked yet. */
  last: Credentials<U> | null | undefined
}

export function createVendor<U>(
  get: () => Awaitable<VendorAnswer<U>>,
  refresh: () => Awaitable<VendorAnswer<U>>,
  isOver: (error: unknown) => boolean,
): Vendor<U> {
  async function ask(run: typeof get, now: number, isMinted: boolean): Promise<Credentials<U> | null> {
    const said = await (async () => run())().catch((error: unknown) => {
      if (isOver(error)) return null
      throw error
    })
    vendor.last = read(said, now, isMinted)
    return vendor.last
  }

  const vendor: Vendor<U> = {
    held: (now) => ask(get, now, false),
    renewed: (now) => ask(refresh, now, true),
    last: undefined,
  }
  return vendor
}

/** @param isMinted Whether the token was just minted. Else nobody knows for how long the SDK has held it. */
function read<U>(said: VendorAnswer<U>, now: number, isMinted: boolean): Credentials<U> | null {
  const parts = typeof said === 'string' ? { accessToken: said } : (said ?? { accessToken: null })
  if (!('accessToken' in parts))
    throw missingField('accessToken', parts, 'give the token as a text, or an object with accessToken')
  const { accessToken, user, organizationId, expiresAt } = parts as Credentials<U>
  if (!accessToken) return null
  const claims = parts.claims ?? (typeof accessToken === 'string' ? claimsOf(accessToken) : null)
  return withoutUndefined({
    accessToken,
    user,
    claims,
    organizationId,
    expiresAt: expiresAt ?? (isMinted ? undefined : expiryOf(claims, now)),
  })
}

/** By this device's clock, as far as that makes sense: a clock that is behind lengthens no life. Epoch ms. */
function expiryOf(claims: Json | null, now: number): number | undefined {
  const { exp, iat } = (claims ?? {}) as Record<string, number | undefined>
  if (typeof exp !== 'number') return undefined
  const whole = typeof iat === 'number' && exp > iat ? (exp - iat) * 1000 : Infinity
  return Math.min(exp * 1000, now + whole)
}

/** Whether the SDK has another token by now than the one that was refused, and one that lives. */
export function isNewToken(said: Credentials<unknown>, refused: Credentials<unknown>, now: number): boolean {
  const isDead = said.expiresAt !== undefined && said.expiresAt <= now
  return said.accessToken !== refused.accessToken && !isDead && !isOlder(said, refused)
}
