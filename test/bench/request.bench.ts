// What a request costs beyond the transport, which is a stub here: what one would write, what one would install, and ours.

import { afterAll, beforeAll, test } from 'vitest'
import type { Session } from 'resesh'
import { bare, naive, openSession, origin, peer } from './contenders.ts'
import { EXTENSIONS } from './extensions.mjs'
import { goal, inOneLine, print, sideBySide } from './measure.ts'

const CALLS = 50
const url = `${origin}/api/items/1`
const init = { headers: { accept: 'application/json' } }
const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"id":1,"title":"An item"}' }

let session: Session
let extended: Session

beforeAll(async () => {
  session = await openSession()
  extended = await openSession(EXTENSIONS)
})

afterAll(() => {
  session.dispose()
  extended.dispose()
})

async function trio(title: string, options: RequestInit | undefined, ...below: string[]): Promise<void> {
  const timings = await sideBySide(CALLS, [
    ['bare fetch', () => bare(url, options)],
    ['naive', () => naive(url, options)],
    ['peer', () => peer(url, options)],
    ['resesh', () => session.fetch(url, options)],
  ])
  print(title, timings, inOneLine(timings, ['naive', 'peer', 'resesh']), ...below)
}

test('a request without options', () => trio('no options', undefined, goal('resesh 1.5', 'resesh 2')))
test('a request with a header', () => trio('a header of the caller', init))
test('a request with a body', () => trio('POST with a JSON body', post))

test('a request to an origin that is not ours', async () => {
  const foreign = 'https://elsewhere.test/a'
  const timings = await sideBySide(CALLS, [
    ['bare fetch', () => bare(foreign, init)],
    ['resesh', () => session.fetch(foreign, init)],
  ])
  print('foreign origin', timings)
})

test('a request past idle extensions', async () => {
  const none = 'no extension'
  const three = 'three idle extensions'
  const timings = await sideBySide(CALLS, [
    [none, () => session.fetch(url)],
    [three, () => extended.fetch(url)],
  ])
  print('extensions', timings)
})
