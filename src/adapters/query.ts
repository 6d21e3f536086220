// TanStack Query over a session: what was fetched lives as long as the session, and no longer. An entry of its own.

import type { Session } from '../face.ts'
import type { Undo } from '../seam/io.ts'
import type { Events } from '../session/events.ts'
import { isOtherUser, isSameUser } from '../state/credentials.ts'

/** What is needed of a `QueryClient`, by its shape, so that it may come with any of TanStack's packages. */
export interface QueryClientLike {
  invalidateQueries(filters?: object): Promise<unknown>
  refetchQueries(filters?: object): Promise<unknown>
  getQueryCache(): { findAll(filters?: object): QueryLike[]; remove(query: never): void }
  getMutationCache(): { clear(): void }
}

interface QueryLike {
  reset(): void
  getObserversCount(): number
}

/**
 * Keeps a `QueryClient` true to the session, in every tab:
 * - after a reload, and when user or claims have changed, what was fetched is invalidated;
 * - when the session ends, it is dropped: running queries are cancelled, mounted ones are pending again, paused mutations are gone;
 * - when another user signs in, or the organization is switched, it is dropped, and what is mounted is fetched again;
 * - a mere refresh leaves it alone.
 *
 * @param filters Which queries belong to the session, as for `invalidateQueries`. @default all
 * @returns what ends it.
 * @example
 * const undo = connectQueryClient(session, queryClient)
 */
export function connectQueryClient<Q extends QueryClientLike>(
  session: Pick<Session<never, never>, 'on'>,
  client: Q,
  filters?: Parameters<Q['invalidateQueries']>[0],
): Undo {
  function drop(): void {
    const cache = client.getQueryCache()
    for (const query of cache.findAll(filters)) {
      query.reset()
      if (query.getObserversCount() === 0) cache.remove(query as never)
    }
    client.getMutationCache().clear()
  }

  return session.on('change', (change) => {
    const what = judge(change)
    if (what === 'invalidate') return void client.invalidateQueries(filters)
    if (what !== 'leave') drop()
    if (what === 'drop and fetch') void client.refetchQueries({ ...filters, type: 'active' })
  })
}

function judge({
  current,
  previous,
  reason,
  changed,
}: Events['change']): 'leave' | 'invalidate' | 'drop' | 'drop and fetch' {
  if (previous.status === 'loading') return 'leave'
  if (current.status !== 'authenticated') return 'drop'
  const isOther = reason === 'signed-in' ? !isSameUser(previous, current) : isOtherUser(previous, current)
  if (isOther || previous.status !== 'authenticated' || changed.includes('organizationId')) return 'drop and fetch'
  const isNews = ['reloaded', 'signed-in'].includes(reason) || changed.includes('user') || changed.includes('claims')
  return isNews ? 'invalidate' : 'leave'
}
