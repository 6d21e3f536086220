// Writes the session of this tab down again, where the storage was cleared: in the turn of this tab, so that a refresh under way
// writes its answer first, and a tab that holds more does so instead.

import type { Context } from '../context.ts'
import type { CoreOperation, Exchange } from './operation.ts'

export function createRewrite<U, C>({ store }: Context<U, C>, exchange: Exchange<U>): () => void {
  let isBusy = false
  let isInVain = false

  const operation: CoreOperation<U, void> = {
    name: 'rewrite',
    // The look at the record, with which each turn begins, has written it.
    plan(found) {
      isInVain = store.isAhead(found)
      return 'done'
    },
    maySpend: (held) => held !== null,
    call: async () => {},
    commit: () => undefined,
  }

  return () => {
    // A storage that keeps nothing would be written to for ever.
    if (isBusy || isInVain) return
    isBusy = true
    void exchange(operation)
      .catch(() => {}) // the next look at the record tries again
      .finally(() => (isBusy = false))
  }
}
