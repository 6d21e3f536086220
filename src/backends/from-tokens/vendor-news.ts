// A vendor's SDK tells that something has changed, never what: it is asked then, under the lock, after a refresh that is under way.

import type { AnySessionError } from '../../errors.ts'
import type { Commit, Extension, Kernel, Operation, Sending } from '../../seam/extension.ts'
import type { Undo } from '../../seam/io.ts'
import { type Credentials, isOtherUser, type Json } from '../../state/credentials.ts'
import type { Receipt } from '../../state/expiry.ts'
import { BLANK } from '../../state/record.ts'
import { commitOf } from '../kit/news.ts'
import type { Vendor } from './vendor.ts'

/** @returns what ends the subscription, if there is something. */
export type Subscribe = (onChange: () => void) => Undo | undefined | void

export const vendorNews = (vendor: Vendor<Json>, subscribe: Subscribe): Extension => ({
  name: 'vendorNews',
  setup(kernel) {
    let isHeard = false
    let isLooking = false

    /** However often it tells: one look at a time, and the last one begins after the last telling. */
    async function look(): Promise<void> {
      isLooking = true
      let last: string | undefined
      while (isHeard && !kernel.disposed.aborted) {
        isHeard = false
        const said = fingerprint((await kernel.exchange(lookOperation(vendor, kernel))) ?? null)
        // To be asked may be something to tell for the SDK: two answers that are equal end it.
        if (said === last) isHeard = false
        last = said
      }
    }

    function onChange(): void {
      isHeard = true
      if (isLooking || kernel.disposed.aborted) return
      look()
        .catch((error: AnySessionError) => {
          isHeard = false
          if (!kernel.disposed.aborted) kernel.report(error)
        })
        .finally(() => (isLooking = false))
    }

    const undo = subscribe(onChange)
    kernel.disposed.addEventListener('abort', () => undo?.())
    return {}
  },
})

const fingerprint = (said: Credentials | null): string => JSON.stringify(said && [said.accessToken, said.user])

function lookOperation(vendor: Vendor<Json>, kernel: Kernel): Operation<Json, Credentials | null> {
  let before: Credentials | null | undefined

  /** The user signed out here, and the SDK still has the session which the user has left. */
  function isLeft(said: Credentials, { record, held }: Sending<Json>): boolean {
    if (held || record?.reason !== 'signed-out' || !before) return false
    return !isOtherUser(before, said)
  }

  function commit(said: Credentials | null, sending: Sending<Json>, receipt: Receipt): Commit<Json> | undefined {
    const { record, held } = sending
    if (said && isLeft(said, sending)) return undefined
    const isNews = said ? !isSame(said, held) : held !== null
    if (!isNews) return undefined
    const version = record?.version ?? BLANK.version
    const { hasDecided } = kernel
    return commitOf({ said, of: version, ending: 'signed-out', receipt }, { credentials: held, version, hasDecided })
  }

  return {
    name: 'look',
    plan() {
      before = vendor.last
      return 'send'
    },
    maySpend: () => false,
    call: (io) => vendor.held(io.now()),
    commit,
  }
}

/** Whether the answer says nothing that is not held. */
const isSame = (said: Credentials, held: Credentials | null): boolean =>
  held?.accessToken === said.accessToken &&
  (said.user === undefined || JSON.stringify(said.user) === JSON.stringify(held?.user))
