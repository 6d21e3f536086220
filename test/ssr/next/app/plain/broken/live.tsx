'use client'
// A mistake, on purpose: while it hydrates, it renders the session as it is now. The tests of this app look here whether they
// would notice a mismatch.

import { useSyncExternalStore } from 'react'
import { session } from '../session'

export function Live() {
  const { status } = useSyncExternalStore(
    session.subscribe,
    () => session.current,
    () => session.current,
  )
  return <p>Live: {status}</p>
}
