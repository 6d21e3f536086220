// What is behind every dialect: one user, access tokens that expire, refresh tokens that are used up. Knows no wire format.

import type { Json } from 'resesh'

export interface Issued {
  readonly access: string
  readonly refresh: string
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

export class Engine {
  user: Json = { id: 'u1', name: 'Ann' }
  refreshes = 0
  signOuts = 0
  isAway = false
  readonly lifeSeconds = 900
  #lastToken = 0
  #access = new Set<string>()
  #refresh = new Map<string, string>()

  issue(): Issued {
    const nth = ++this.#lastToken
    const iat = Math.floor(Date.now() / 1000)
    const claims = { sub: this.user['id'], name: this.user['name'], iat, exp: iat + this.lifeSeconds, nth }
    const access = `${base64url({ alg: 'none' })}.${base64url(claims)}.x`
    this.#access.add(access)
    this.#refresh.set(`r${nth}`, access)
    return { access, refresh: `r${nth}` }
  }

  /** `null`: the token was used before, or never issued. @param isKept The server leaves it as it is. */
  renew(refresh: unknown, isKept = false): Issued | null {
    this.refreshes++
    const key = String(refresh)
    if (!this.#refresh.has(key)) return null
    const issued = this.issue()
    if (!isKept) this.#refresh.delete(key)
    return issued
  }

  /** A token that renews itself. */
  slide(access: string | undefined): Issued | null {
    this.refreshes++
    return [...this.#refresh.values()].includes(access ?? '') ? this.issue() : null
  }

  isGood = (access: string | undefined): boolean => this.#access.has(access ?? '')

  expire(): void {
    this.#access.clear()
  }

  revoke(): void {
    this.#access.clear()
    this.#refresh.clear()
  }

  signOut(): void {
    this.signOuts++
    this.revoke()
  }
}
