// What another SDK for the same server has left in this browser. It is read where the storage of the session holds nothing at all,
// so that a user who has signed out since stays so; and taken away once the session is written down.

import type { Context } from '../context.ts'
import { type Credentials, isSendable } from '../state/credentials.ts'

export interface Inheritance<U> {
  /** `null`: nothing was left, or nothing of use. */
  read(): Credentials<U> | null
  /** Takes away what was read, if anything was: it may be of use to another app of the site. */
  forget(): void
}

export function createInheritance<U, C>({ runtime, backend }: Context<U, C>): Inheritance<U> {
  const { cookies = [], items = [] } = backend.predecessor ?? {}
  const { cookie, leftovers } = runtime
  let isTaken = false

  function find(): Record<string, string> {
    const pairs = [...cookies.map((name) => [name, cookie(name)]), ...items.map((key) => [key, leftovers.item(key)])]
    return Object.fromEntries(pairs.filter(([, value]) => value)) as Record<string, string>
  }

  return {
    read() {
      try {
        const said = backend.predecessor?.read(find()) ?? null
        isTaken = !!said && isSendable(said)
        return isTaken ? said : null
      } catch {
        return null // another script may have written there whatever it likes
      }
    },
    forget() {
      if (!isTaken) return
      isTaken = false
      cookies.forEach(leftovers.removeCookie)
      items.forEach(leftovers.removeItem)
    },
  }
}
