// A page that starts with `initial` asks at once, while its storage is still slow to open: its first requests belong to a
// session that has no number yet.

import { createSession, type Session, type SessionOptions } from 'resesh'
import { custom } from 'resesh/storage/custom'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { faces, login, sample, sleep } from '../support/page.ts'

let session: Session
beforeEach(() => sample.reset())
afterEach(() => session.dispose())

const slow = (ms: number) => {
  const values = new Map<string, string>()
  return custom({
    getItem: (key) => sleep(ms).then(() => values.get(key) ?? null),
    setItem: (key, value) => sleep(ms).then(() => values.set(key, value)),
  })
}
/** Its token is one that the server refuses. */
const start = async (options: Partial<SessionOptions> = {}) => {
  const initial = await login()
  await sample.expire()
  const { backend } = faces.bearer
  return createSession({ name: crypto.randomUUID(), backend, initial, refreshAhead: 'never', ...options })
}
const me = () =>
  session.fetch('/api/me').then(
    async (response) => (response.ok ? ((await response.json()) as { name: string }).name : response.status),
    ({ code }: { code: string }) => code,
  )

// The record of `initial` raises the generation from 0 to 1, which is taken for a refresh that somebody else has made: no
// refresh goes out, and the second 401 is handed back as the route's own.
test('a request is served by one refresh', async () => {
  for (let times = 1; times <= 5; times++) {
    session = await start()
    expect(await me()).toBe('Ann')
    expect((await sample.stats()).refreshes).toBe(times)
    session.dispose()
  }
})

// It waits until `initial` is written down, and then goes out as whoever is signed in by then.
test('a request is not replayed as who signs in meanwhile', async () => {
  session = await start({ storage: slow(100) })
  const asked = me()
  await sleep(20)
  await session.signIn(await login('bob'))
  expect(await asked).toBe('ERR_SESSION_ENDED')
})

// It is written down with a time of receipt of its own, a little later, and so with another expiresAt.
test('what is known from the start is no news when it has been written down', async () => {
  const initial = await login()
  session = createSession({ backend: faces.bearer.backend, initial, refreshAhead: 'never', storage: slow(50) })
  const changes: unknown[] = []
  session.on('change', ({ changed }) => changes.push(changed))
  await sleep(300)
  expect(changes).toEqual([])
})
