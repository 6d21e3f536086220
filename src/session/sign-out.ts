// How a session ends by its user: here and now, then in the record, and at the server as soon as that can be told.

import type { Names } from '../known-options.ts'
import type { Context } from '../context.ts'
import type { SignOutOperation } from '../refresh/operation.ts'
import { abortable } from '../runtime/wait.ts'
import type { Backend } from '../seam/backend.ts'
import { retriedChange } from '../state/changes.ts'
import { signOutChange, signOutRenewedChange, signOutToldChange } from '../state/session-changes.ts'
import type { Credentials } from '../state/credentials.ts'
import { forgetInheritance } from './inheritance.ts'
import { type Change, isNewer, type SessionRecord, type Version } from '../state/record.ts'
import { firstGeneration, writeAlone } from './write.ts'

export interface SignOutOptions {
  /** Does not tell the server. @default false */
  local?: boolean
  /** Frees this caller; the server is told all the same. */
  signal?: AbortSignal
}

export const SIGN_OUT_OPTIONS: Names<SignOutOptions> = { local: true, signal: true }

// What the server could not be told of in a day has expired there, or is worth no more trouble: its refresh token is dropped.
const MAX_AGE_MS = 86_400_000

/**
 * Makes the operation that tells the server of a sign-out, once, whichever tab comes to do it: the tab where it happened, the
 * tab whose refresh was under way, or the next page that finds it pending. It leaves a session that has begun since alone.
 */
export function createSignOutOperation<U>(backend: Backend<U>): SignOutOperation<U> {
  const isOneForAll = !!(backend.cookies || backend.inMemory)
  return (id) => {
    let told: readonly number[] = []
    let credentials: Credentials<U> | null = null
    let isMoot = false
    return {
      name: 'sign-out',
      plan(found, now) {
        const { signOuts = [], signedIn = false } = found?.record ?? {}
        const entry = signOuts.find((each) => each.id === id)
        if (!entry) return 'done'
        // A jar holds one session, and so does a vendor's SDK: one call ends it, and once another session has begun, the old one
        // is gone. That call would end the session which has begun.
        told = isOneForAll ? signOuts.map((each) => each.id) : [entry.id]
        isMoot = (isOneForAll && signedIn) || Math.abs(now - entry.at) > MAX_AGE_MS
        credentials = found?.leaving?.[entry.id] ?? null
        return 'send'
      },
      maySpend: () => false,
      call: async (io) => (isMoot ? undefined : backend.signOut?.(credentials, io)),
      commit: () => ({ change: signOutToldChange(told) }),
      ifRefused: 'keep-answer',
    }
  }
}

/** Ends the session here, then at the server. Answers once the server was told, or could not be told yet. */
export function createSignOut<U, C>(
  { runtime, backend, store, reentrance }: Context<U, C>,
  tellServer: () => Promise<void>,
): (options?: SignOutOptions) => Promise<void> {
  const { clock, records, channel } = runtime

  return async ({ local = false, signal } = {}) => {
    store.hasDecided = true
    const mustNotWait = reentrance.mustNotWait()
    const { credentials, state, view } = store
    // A session whose storage is this tab's memory would find it at the next page.
    forgetInheritance(backend, runtime.get)
    const isAgain = state.status === 'unauthenticated'
    // Once is enough: what is newer than two sign-outs, of which one is written, would be no news to this tab.
    if (isAgain && store.writeSignOut) return store.writeSignOut().catch(() => void tellServer())
    store.dispatch({ type: 'signed-out' })
    const isPending = !local && !isAgain
    const { generation } = view.version
    const signOut = signOutChange(isPending, clock.now(), firstGeneration(store, clock), generation)
    const { first, again, isLost } = onceMore(signOut, generation)
    let next = first

    async function write(): Promise<void> {
      const commit = { change: next, credentials: null }
      next = again
      // At once: a page that is left now must not lose it while credentials are encrypted. Those of the record stay with it.
      const stored = await writeAlone(records, commit)
      store.dispatch({ type: 'sign-out-written' })
      store.adopt(stored, 'this-tab')
      channel.post('moved') // only now there is something to read
      // Where the record was cleared, or is of a later session, it has none.
      const isOfOther = stored?.record.signOuts.at(-2)?.id === generation
      const id = isOfOther ? generation : null
      if (isPending && credentials) await records.update(signOutRenewedChange(id), undefined, { id, credentials })
      if (store.writeSignOut === write) store.writeSignOut = null
    }

    async function rewrite(): Promise<boolean> {
      // Who has signed in since is not signed out for it.
      const mustWrite = !store.credentials && isLost((await records.read())?.record ?? null)
      if (mustWrite) await write()
      return mustWrite
    }

    store.writeSignOut = write
    if (isPending) store.rewriteSignOut = rewrite
    // Without waiting for the lock: a page that navigates at once must not lose it.
    const isWritten = await write().then(
      () => true,
      () => false,
    )
    // Under the lock: after a refresh in flight, whose late answer would bring the session back.
    // A login function would wait for itself: the server is told once it is done. A storage that failed is tried again before.
    if (isPending && !mustNotWait) await abortable(tellServer(), signal)
    else if (isPending || !isWritten) void tellServer()
  }
}

interface OnceMore {
  readonly first: Change
  /** Where the change is not in the record. Late, it leaves a session that has begun since. */
  readonly again: Change
  /** Whether the change was made, and the record was cleared since. */
  isLost(record: SessionRecord | null): boolean
}

/**
 * A sign-out that may be written more than once, and counts once: of a storage that is slow nobody knows whether it has taken it.
 * @param held The generation of the session that was left; 0: it was not known yet.
 */
function onceMore(signOut: Change, held: number): OnceMore {
  /** The last version that may be changed still. */
  let last: Version = { generation: held || Infinity, revision: Infinity }
  let hasRun = false

  function run(old: SessionRecord | null): SessionRecord | undefined {
    const ended = signOut(old)
    hasRun = true
    if (ended) last = { generation: ended.version.generation - 1, revision: Infinity }
    return ended
  }

  const again: Change = (old) => retriedChange(run, last)(old)
  return {
    first: (old) => (hasRun ? again(old) : run(old)),
    again,
    isLost: (record) => hasRun && (!record || !isNewer(record.version, last)),
  }
}
