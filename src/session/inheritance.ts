// What another SDK for the same server has left in this browser: read where the session begins with nothing, taken away once
// the session knows better. Code of the app, or another script, may have to do with it: what throws has left nothing.

import type { Backend } from '../seam/backend.ts'
import type { ReadGlobal } from '../seam/io.ts'
import { type Credentials, isSendable } from '../state/credentials.ts'

/** `null`: there is nothing that could be sent. */
export function readInheritance<U>({ predecessor }: Backend<U>, get: ReadGlobal): Credentials<U> | null {
  try {
    const said = predecessor?.read(get) ?? null
    return said && isSendable(said) ? said : null
  } catch {
    return null // another script may have written there whatever it likes
  }
}

export function forgetInheritance<U>({ predecessor }: Backend<U>, get: ReadGlobal): void {
  try {
    predecessor?.forget(get)
  } catch {
    // a page may be forbidden its storage
  }
}
