// A server that rotates: a refresh token is good once, a second use within the window gets the same successor again, any
// later one is theft and revokes the family. Its tokens say who, which sign-in, the how-manieth, and how old the profile is.

import type { Dice } from './dice.ts'

/** All refresh tokens that came of one sign-in. */
export interface Family {
  readonly id: number
  readonly user: string
  readonly expiresAt: number
  current: string
  /** The one before, and when it was used. */
  previous: { readonly token: string; readonly usedAt: number } | null
  over: 'signed-out' | 'theft' | 'admin' | null
}

export interface Access {
  readonly family: Family
  /** Counts up over all that were ever minted. */
  readonly serial: number
  /** Of the profile, when this was minted. */
  readonly edition: number
  /** By the clock of the world, as `diesAt` is. */
  readonly mintedAt: number
  diesAt: number
  /** The refresh that got it, as the world numbers it; null: a sign-in. */
  readonly mintedBy: number | null
}

export interface Claims {
  readonly sub: string
  readonly fam: number
  readonly n: number
  readonly v: number
}

export interface Question {
  readonly nth: number
  readonly method: string
  readonly path: string
  readonly id: string | null
  readonly accessToken: string | null
  readonly body: { refreshToken?: string; user?: string }
}

export interface Answer {
  readonly status: number
  readonly json: object
}

export interface Pair {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresIn: number
}

export interface Server {
  readonly access: ReadonlyMap<string, Access>
  /** The family of each refresh token. */
  readonly refresh: ReadonlyMap<string, Family>
  readonly families: readonly Family[]
  handle(question: Question): Answer
  signIn(user: string): Pair
  /** The profile moves on. */
  edit(user: string): void
  editionOf(user: string): number
  /** Only the server knows. */
  expire(family: Family): void
  isOver(family: Family): boolean
}

export interface ServerOptions {
  readonly replayWindow: number
  readonly lifeSeconds: number
  readonly sessionLife: number
  now(): number
  /** The nth request used a token again. */
  onTheft(family: Family, token: string, nth: number): void
  /** Something was done for this call. */
  onDone(id: string): void
}

/** In every token; must show up nowhere but in a header, a refresh and the storage. */
export const CANARY = 'c4n4ry'

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const HEAD = encode({ alg: 'none', typ: 'JWT' })

export function createServer(options: ServerOptions, dice: Dice): Server {
  const { replayWindow, lifeSeconds, sessionLife, now, onTheft, onDone } = options
  const access = new Map<string, Access>()
  const refresh = new Map<string, Family>()
  const families: Family[] = []
  const editions = new Map<string, number>()
  let serial = 0

  const editionOf = (user: string): number => editions.get(user) ?? 1
  const isOver = ({ over, expiresAt }: Family): boolean => over !== null || now() >= expiresAt

  function mint(family: Family, mintedBy: number | null): Pair {
    const edition = editionOf(family.user)
    const claims: Claims = { sub: family.user, fam: family.id, n: ++serial, v: edition }
    const accessToken = `${HEAD}.${encode(claims)}.${CANARY}${serial}`
    const mintedAt = now()
    access.set(accessToken, { family, serial, edition, mintedAt, diesAt: mintedAt + lifeSeconds * 1000, mintedBy })
    return { accessToken, refreshToken: family.current, expiresIn: lifeSeconds }
  }

  function rotate(family: Family): void {
    family.previous = family.current ? { token: family.current, usedAt: now() } : null
    family.current = `${CANARY}-${family.id}-${refresh.size}-${Math.floor(dice() * 1e6)}`
    refresh.set(family.current, family)
  }

  function renew(token: string, nth: number): Answer {
    const family = refresh.get(token)
    if (!family || isOver(family)) return { status: 401, json: { error: 'over' } }
    const { current, previous } = family
    if (token === current) rotate(family)
    else if (previous?.token !== token || now() - previous.usedAt >= replayWindow) {
      family.over = 'theft'
      onTheft(family, token, nth)
      return { status: 401, json: { error: 'reused' } }
    }
    return { status: 200, json: mint(family, nth) }
  }

  function signIn(user: string): Pair {
    const expiresAt = now() + sessionLife
    const family: Family = { id: families.length + 1, user, expiresAt, current: '', previous: null, over: null }
    families.push(family)
    rotate(family)
    return mint(family, null)
  }

  return {
    access,
    refresh,
    families,
    signIn,
    isOver,
    editionOf,
    edit: (user) => void editions.set(user, editionOf(user) + 1),
    expire(family) {
      for (const token of access.values()) if (token.family === family) token.diesAt = 0
    },
    handle({ nth, path, id, accessToken, body }) {
      if (path === '/login') return { status: 200, json: signIn(body.user!) }
      if (path === '/refresh') return renew(body.refreshToken!, nth)
      if (path === '/sign-out') {
        const family = refresh.get(body.refreshToken!)
        if (family) family.over ??= 'signed-out'
        return { status: 204, json: {} }
      }
      const token = access.get(accessToken ?? '')
      if (!token || token.diesAt <= now() || token.family.over || path === '/refused') return { status: 401, json: {} }
      if (id) onDone(id)
      return { status: 200, json: { id: token.family.user, v: editionOf(token.family.user) } }
    },
  }
}
