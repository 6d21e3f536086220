// Forced means fresh, over the sample server on the page's own origin.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { disposeAll, login, sample, serverExpired, signedIn } from '../support/page.ts'

beforeEach(() => sample.reset())
afterEach(disposeAll)

describe('forced means fresh', () => {
  /** As another of the user's devices would. */
  const edit = async (name: string) => {
    const { accessToken } = await login()
    const headers = { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' }
    await fetch('/api/me', { method: 'PATCH', headers, body: JSON.stringify({ name }) })
  }

  test('while a slow refresh runs that has read the old claims already', async () => {
    const session = await serverExpired()
    await sample.knobs({ refreshDelayMs: 300 })
    const running = session.fetch('/api/me')
    await expect.poll(async () => (await sample.stats()).refreshesInFlight).toBe(1)
    await edit('Annabel')
    const tokens = await Promise.all(Array.from({ length: 100 }, () => session.getToken({ skipCache: true })))
    expect(new Set(tokens).size).toBe(1)
    expect(session.current.claims?.['name']).toBe('Annabel')
    expect(await session.getToken()).toBe(tokens[0])
    expect((await running).status).toBe(200)
    const { refreshes, maxRefreshesInFlight, thefts } = await sample.stats()
    expect({ refreshes, maxRefreshesInFlight, thefts }).toEqual({ refreshes: 2, maxRefreshesInFlight: 1, thefts: 0 })
  })

  test('reload() brings token and user, and one change event', async () => {
    const session = await signedIn()
    const changes: unknown[] = []
    session.on('change', ({ reason, changed }) => changes.push([reason, changed]))
    await edit('Annabel')
    const state = await session.reload()
    expect([state.user?.['name'], state.claims?.['name'], state.reason]).toEqual(['Annabel', 'Annabel', 'reloaded'])
    expect(changes).toHaveLength(1)
    expect(changes[0]).toEqual(['reloaded', expect.arrayContaining(['user', 'claims'])])
  })
})
