// How a session begins without a sign-in: from what the page was handed (`initial`), from the storage, or by asking the server.

import type { Context } from '../context.ts'
import { SessionEndedError, StepUpRequiredError } from '../errors.ts'
import type { CoreOperation, Exchange, News } from '../refresh/operation.ts'
import type { Stored } from '../runtime/ports.ts'
import { withTimeout } from '../runtime/wait.ts'
import type { Commit, Sending } from '../seam/extension.ts'
import { restoreChange } from '../state/session-changes.ts'
import { type Credentials, isOtherUser, merge } from '../state/credentials.ts'
import { type Receipt, receivedFromApp } from '../state/expiry.ts'
import { BLANK, type Ending } from '../state/record.ts'
import { forgetInheritance, readInheritance } from './inheritance.ts'
import type { Readiness } from './readiness.ts'
import { readSignIn } from './answers.ts'
import { firstGeneration, writeAlone } from './write.ts'

export interface Restore<U> {
  /** Takes over what the page was handed; `null`: nobody is signed in. */
  begin(initial: Credentials<U> | null): void
  /** Finds out who is signed in. @throws SessionError where it could not be found out. */
  restore(): Promise<void>
}

export function createRestore<U, C>(
  { runtime, backend, settings, store }: Context<U, C>,
  readiness: Readiness,
  exchange: Exchange<U>,
): Restore<U> {
  const { clock, records } = runtime
  let hasInherited = false

  /** Tokens in the storage speak for themselves; of a cookie that scripts can't read only the server can tell. */
  const isKnown = (stored: Stored<U> | null): boolean => !!stored?.record.signedIn && !backend.cookies

  /** What the answer of the server makes of the record that was found before it was asked. */
  function restoreCommit(
    said: Credentials<U> | null,
    before: Stored<U> | null,
    receipt: Receipt,
    ending: Ending | null = null,
  ): Commit<U> {
    const held = before?.credentials ?? null
    const isSame = !!held && !!said && !isOtherUser(held, merge(held, said))
    const fresh = said && readSignIn(backend, isSame ? held : null, said)
    const change = restoreChange(before, fresh, isSame, ending, receipt, firstGeneration(store, clock))
    return { change, credentials: fresh }
  }

  const beforeOf = ({ record, held }: Sending<U>): Stored<U> | null => record && { record, credentials: held }

  const restoreOperation: CoreOperation<U, Credentials<U> | null> = {
    name: 'restore',
    // The jar still holds the cookie of the session that the user has left.
    ...(backend.cookies && { pendingSignOut: 'required' }),
    // Another tab has signed in meanwhile; or this tab has signed in or out.
    plan: (found) => (isKnown(found) || store.state.status !== 'loading' ? 'adopt' : 'send'),
    maySpend: () => false,
    async call(io, { record, held }) {
      // Only where the storage holds nothing: a user who has signed out since stays so.
      const inherited = record ? null : readInheritance(backend, runtime.get)
      hasInherited ||= inherited !== null
      const known = inherited ?? held
      return backend.restore ? backend.restore(io, known) : known
    },
    commit: (said, sending, receipt) => restoreCommit(said, beforeOf(sending), receipt),
    end: (reason, sending) => restoreCommit(null, beforeOf(sending), receivedFromApp(clock.now()), reason as Ending),
    present: ([stored]) => asFound(stored),
  }

  /** Whatever brought the session about in its time: this page has found it. */
  const asFound = (stored: Stored<U> | null): News<U> => {
    if (!stored?.record.signedIn) return [stored, 'this-tab']
    return [{ ...stored, record: { ...stored.record, reason: 'restored' } }, 'this-tab']
  }

  async function restore(): Promise<void> {
    const stored = await records.read()
    if (isKnown(stored)) return store.adopt(...asFound(stored))
    try {
      await exchange(restoreOperation)
      if (hasInherited) forgetInheritance(backend, runtime.get) // it is written by now, and is the session's own
      hasInherited = false
    } catch (error) {
      if (stored?.record.signedIn) {
        // The server could not be asked: the app goes on with what was known last.
        store.adopt(...asFound(stored))
        store.dispatch({ type: 'failing' })
      } else if (error instanceof StepUpRequiredError) {
        // The user has begun to sign in, and is not signed in yet.
        const commit = restoreCommit(null, stored, receivedFromApp(clock.now()))
        store.adopt(await writeAlone(records, commit), 'this-tab')
      }
      throw error
    }
  }

  function begin(initial: Credentials<U> | null): void {
    const receipt = receivedFromApp(clock.now())
    const commit = restoreCommit(initial, null, receipt)
    const credentials = commit.credentials ?? null
    const record = commit.change(null)!
    // Of generation 0, until it is known what the storage holds: whatever that is counts as newer.
    store.adopt({ record: { ...record, version: BLANK.version }, credentials }, 'this-tab')
    readiness.holdUntil(withTimeout(reconcile(), clock, settings.timeout, 'The storage of the session does not answer'))

    async function reconcile(): Promise<void> {
      const before = await records.read()
      const found = await writeAlone(records, restoreCommit(initial, before, receipt))
      store.adopt(found, 'this-tab')
      // Another user has signed in elsewhere since: requests of the handed user must not go out as that user's.
      const theirs = found?.credentials
      if (credentials && theirs && isOtherUser(credentials, theirs)) throw new SessionEndedError('signed-in')
    }
  }

  return { begin, restore }
}
