// A kind of server, as the demo needs to know it: which backend speaks with it, how one signs in, and what it can't do.

import type { Backend, Json, Session } from 'resesh'

export type Field = 'name' | 'role' | 'org'

export interface DemoServer {
  /** In the page's URL: `?server=…`. */
  readonly key: string
  readonly title: string
  /** The one line that differs from server to server. Its own text is shown on the page. */
  readonly backend: () => Backend<any>
  /** Below which its API is. */
  readonly at: string
  /** Below which the hand of whoever runs it is: it expires tokens, counts requests and makes faults. */
  readonly hand: string
  /** The option `name` of the session. */
  readonly name?: string
  /** What the server forgives, in ms, where the backend can't know. */
  readonly replayWindow?: number
  signIn(session: Session<any, any>, user: string, password: string): Promise<unknown>
  /** It has no password to be wrong. */
  readonly takesAnyPassword?: true
  /** What it tells of a user. */
  readonly fields: readonly Field[]
  /** What it can't do, and why, each as one sentence. */
  readonly lacks: {
    /** The fields that are left out. */
    readonly fields?: string
    /** No user before the first reload. */
    readonly user?: string
    /** `getToken({ skipCache: true })` brings no claims. */
    readonly token?: string
    /** No expiry that the page could know, or none that it could wait for. */
    readonly expiry?: string
  }
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : undefined

/** A field of the user, or of the claims: most servers have a word of their own for it. */
export function read(said: Json | null | undefined, field: Field): string | undefined {
  if (field === 'name') return text(said?.['name'] ?? said?.['firstName'])
  if (field === 'role') return text(said?.['role'] ?? said?.['roles'])
  return text(said?.[field])
}

/** Of whoever is signed in: from the user or, at a server that tells of no user, from the claims. */
export const nameOf = ({ user, claims }: { user: Json | null; claims: Json | null }): string | undefined =>
  read(user, 'name') ?? read(claims, 'name')
