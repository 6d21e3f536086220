// Two sessions on one page.

import { createSession } from 'resesh'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { disposeAll, sample, signedIn } from '../support/page.ts'

beforeEach(() => sample.reset())
afterEach(disposeAll)

test('two sessions on one page share nothing', async () => {
  const session = await signedIn()
  const other = createSession({
    name: 'other',
    backend: { name: 'other', attach() {}, refresh: async () => null },
    initial: null,
  })
  expect((await session.fetch('/api/me')).status).toBe(200)
  expect((await other.fetch('/api/me')).status).toBe(401)
  expect(other.current.status).toBe('unauthenticated')
  other.dispose()
})
