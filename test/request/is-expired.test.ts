// The option `isExpired`: an app says what an expired session looks like.

import { defineBackend } from 'resesh'
import { expect, test } from 'vitest'
import { setup, url } from '../support/session.ts'

test('isExpired names the statuses that say so, and a 401 is then an answer like any other', async () => {
  const answers = [440, 200, 401]
  const fetch = async () => new Response(null, { status: answers.shift()! })
  let refreshes = 0
  const backend = defineBackend({
    async refresh() {
      refreshes++
      return { accessToken: 'second' }
    },
  })
  const { session } = await setup({
    backend,
    initial: { accessToken: 'first' },
    isExpired: [440],
    origins: [url('')],
    platform: { fetch },
  })
  expect((await session.fetch(url('/a'))).status).toBe(200)
  expect((await session.fetch(url('/b'))).status).toBe(401)
  expect(refreshes).toBe(1)
})

test('isExpired may look at the response', async () => {
  const { server, session } = await setup({
    isExpired: async (response) => response.status === 401 && (await response.clone().text()).includes('invalid_token'),
  })
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
})
