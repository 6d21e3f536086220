// A list that everybody edits, fetched by TanStack Query, in each tab.

import { QueryClient, QueryObserver } from '@tanstack/query-core'
import { createSession } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { connectQueryClient } from 'resesh/query'
import { refreshAfter } from 'resesh/refresh-after'

const session = createSession({
  backend: bearer({ refreshUrl: '/auth/refresh', userUrl: '/auth/user' }),
  use: [refreshAfter([{ method: 'PATCH', path: '/api/me', action: 'reload', wait: true }])],
  refreshAhead: 'never',
})
const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity, refetchOnWindowFocus: false } } })
connectQueryClient(session, client)

const profile = new QueryObserver(client, {
  queryKey: ['me'],
  queryFn: async ({ signal }) => (await session.fetch('/api/me', { signal })).json(),
})
const app = document.querySelector<HTMLElement>('#app')!
profile.subscribe(({ data }) => (app.innerText = data?.city ?? ''))

const queryPage = {
  session,
  async signIn(): Promise<void> {
    await session.signIn(async ({ fetch }) => {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ username: 'ann', password: 'secret' })
      const { expiresIn, ...credentials } = await (await fetch('/auth/login', { method: 'POST', headers, body })).json()
      return { ...credentials, expiresInSeconds: expiresIn }
    })
  },
  edit: (city: string): Promise<Response> =>
    session.fetch('/api/me', { method: 'PATCH', body: JSON.stringify({ city }) }),
}
Object.assign(globalThis, { page: queryPage })

export type QueryPage = typeof queryPage
