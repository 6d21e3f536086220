// Records in the storage that nobody can have meant: never read in a circle, never taken for a session.

import { createSession, type Credentials } from 'resesh'
import { expect, onTestFinished, test } from 'vitest'
import { bearerBackend, createClock, login, setup, sharedStorage, url } from '../support/session.ts'

test('a record that was cleared away, and begun anew by somebody else, is not read in a circle', async () => {
  const clock = createClock()
  const storage = sharedStorage()
  const { session, server } = await setup({ storage, refreshAhead: 'always' }, { clock })
  await session.signIn(await login(server))
  await session.signIn(await login(server))
  storage.text = null
  const two = await setup({ storage }, { clock, server })
  two.session.dispose()
  let reads = 0
  storage.getItem = async function () {
    if (++reads > 500) session.dispose()
    return this.text
  }
  await clock.pass(65_000)
  expect(reads).toBeLessThan(200)
})

test('a record that speaks of credentials which nobody has kept: a refresh says so', async () => {
  const storage = sharedStorage()
  const { session } = await setup({ storage })
  await session.refresh()
  storage.text = JSON.stringify({ ...JSON.parse(storage.text!), credentials: null })
  await expect(session.refresh()).rejects.toThrow('no credentials are stored')
})

test('a stored token that cannot stand in a header is nobody’s, and shows in no error', async () => {
  const storage = sharedStorage()
  const first = await setup({ storage })
  await first.session.refresh()
  first.session.dispose()
  const row = JSON.parse(storage.text!) as { credentials: Credentials }
  storage.text = JSON.stringify({ ...row, credentials: { ...row.credentials, accessToken: 'secret\nfragment' } })
  const platform = { fetch: async () => new Response('as nobody') }
  const again = createSession({ backend: bearerBackend(), storage, platform })
  onTestFinished(again.dispose)
  expect((await again.ready()).status).toBe('unauthenticated')
  expect(await (await again.fetch(url('/api/me'))).text()).toBe('as nobody')
})

test('a generation that no sign-in could be newer than is nobody’s', async () => {
  const storage = sharedStorage()
  const { session, server } = await setup({ storage })
  const { record } = JSON.parse(storage.text!)
  const version = { generation: Number.MAX_SAFE_INTEGER, revision: 0 }
  storage.text = JSON.stringify({ record: { ...record, version }, credentials: { accessToken: 'forged' } })
  await session.signIn(await login(server))
  await session.signOut()
  await session.signIn(await login(server))
  expect(session.current.status).toBe('authenticated')
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
})
