// Sessions as families of one-time refresh tokens, and the access tokens minted for them. Knows nothing of HTTP.
// A refresh token is spent in the same turn in which it is looked up: no two callers can both be first.

import { SignJWT, generateKeyPair, type CryptoKey } from 'jose'
import type { Knobs, Shape } from './faults.ts'
import type { Users } from './profile.ts'

export type Ended = 'session_over' | 'reuse'

export interface Family {
  readonly id: string
  readonly user: string
  expiresAt: number
  ended?: Ended
  /** The last access token minted, which a cookie session keeps to itself. */
  access?: Access
  minted: number
}

export interface Access {
  readonly id: string
  readonly family: Family
  readonly expiresAt: number
  readonly token: Promise<string>
}

export interface Grant {
  readonly family: Family
  readonly refreshToken: string
  readonly access: Access
  readonly shape: Shape | undefined
}

interface Refresh {
  readonly family: Family
  spent?: { at: number; successor: Grant }
}

export class Tokens {
  thefts = 0
  rotations = 0
  readonly #families = new Set<Family>()
  readonly #refresh = new Map<string, Refresh>()
  readonly #access = new Map<string, Access>()
  readonly #keys = generateKeyPair('ES256')

  constructor(
    readonly knobs: Knobs,
    readonly users: Users,
    readonly now: () => number,
  ) {}

  get publicKey(): Promise<CryptoKey> {
    return this.#keys.then((keys) => keys.publicKey)
  }

  get families(): readonly Family[] {
    return [...this.#families]
  }

  open(user: string): Grant {
    const family: Family = { id: `s${this.#families.size + 1}`, user, expiresAt: 0, minted: 0 }
    this.#families.add(family)
    return this.#grant(family)
  }

  /** Spends the token and gives its successor; a second use outside the grace window ends the family. */
  rotate(token: string | undefined, shape?: Shape): Grant | Ended {
    const known = token === undefined ? undefined : this.#refresh.get(token)
    if (!known) return 'session_over'
    const ended = this.#ended(known.family)
    if (ended) return ended
    if (known.spent) {
      if (this.now() - known.spent.at < this.knobs.graceMs) return known.spent.successor
      this.thefts++
      this.end(known.family, 'reuse')
      return 'reuse'
    }
    const successor = this.#grant(known.family, shape)
    known.spent = { at: this.now(), successor }
    this.rotations++
    return successor
  }

  /** The family of a refresh token or cookie, if it lives; `unspent` asks for more than that. */
  familyOf(token: string | undefined, unspent = false): Family | undefined {
    const known = token === undefined ? undefined : this.#refresh.get(token)
    if (!known || this.#ended(known.family)) return undefined
    const forgiven = !known.spent || this.now() - known.spent.at < this.knobs.graceMs
    return unspent && !forgiven ? undefined : known.family
  }

  /** The access token as this server remembers it; what the token says of itself plays no part. */
  accept(token: string): Access | undefined {
    const access = this.#access.get(token)
    return access && this.isLive(access) ? access : undefined
  }

  isLive(access: Access): boolean {
    return !this.#ended(access.family) && this.now() < access.expiresAt && this.#live.has(access.id)
  }

  /** A new access token without a new refresh token: what a BFF does behind its cookie. */
  renew(family: Family): Access {
    return (family.access = this.#mint(family))
  }

  expireAccessTokens(): void {
    this.#live.clear()
  }

  end(family: Family, why: Ended = 'session_over'): void {
    family.ended ??= why
  }

  clear(): void {
    this.thefts = this.rotations = 0
    for (const kept of [this.#families, this.#refresh, this.#access, this.#live]) kept.clear()
  }

  readonly #live = new Set<string>()

  #ended(family: Family): Ended | undefined {
    return family.ended ?? (this.now() < family.expiresAt ? undefined : 'session_over')
  }

  #grant(family: Family, shape?: Shape): Grant {
    const access = (family.access = this.#mint(family, shape))
    family.expiresAt = this.now() + this.knobs.sessionLifeSeconds * 1000
    const refreshToken = `${family.id}.${family.minted}.${crypto.randomUUID()}`
    this.#refresh.set(refreshToken, { family })
    return { family, refreshToken, access, shape }
  }

  #mint(family: Family, shape?: Shape): Access {
    const { name, role, org } = this.users.get(family.user)
    const id = `${family.id}.${++family.minted}`
    const seconds = Math.floor(this.now() / 1000) - (shape === 'past-exp' ? 3600 : 0)
    const life = this.knobs.accessTokenLifeSeconds
    const claims = {
      sub: family.user,
      sid: family.id,
      jti: id,
      name,
      role,
      org,
      iat: seconds,
      ...(shape !== 'no-expiry' && shape !== 'negative' && { exp: seconds + life }),
    }
    const sign = async () =>
      new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' }).sign((await this.#keys).privateKey)
    const token = shape === 'opaque' ? Promise.resolve(`opaque-${crypto.randomUUID()}`) : sign()
    const access = { id, family, expiresAt: this.now() + life * 1000, token }
    this.#live.add(id)
    void token.then((text) => this.#access.set(text, access))
    return access
  }
}
