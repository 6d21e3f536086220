// getToken() while the token is good, against the least that an async function can cost.

import { test } from 'vitest'
import { openSession } from './contenders.ts'
import { EXTENSIONS } from './extensions.mjs'
import { type Contender, goal, print, sideBySide } from './measure.ts'

const CALLS = 5000

test('getToken() from cache', async () => {
  const session = await openSession()
  const extended = await openSession(EXTENSIONS)
  const empty = async () => {}
  const contenders: Contender[] = [
    ['an empty async function', empty],
    ['getToken()', () => session.getToken()],
    ['getToken({ minValidity: 30_000 })', () => session.getToken({ minValidity: 30_000 })],
    ['getToken(), three idle extensions', () => extended.getToken()],
  ]
  const timings = await sideBySide(CALLS, contenders)
  session.dispose()
  extended.dispose()
  print('getToken() from cache', timings, `ratio ${timings[1]!.ratio.toFixed(2)}`, goal('ratio 3', 'ratio 3'))
})
