// What a response means, as a table: facts in, one named outcome out.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Reason } from '../../src/state/record.ts'
import { compareSent, type Facts, judge, type Verdict } from '../../src/state/verdict.ts'
import { LOADING } from '../../src/state/view.ts'

/** A response that refuses the token of a session which goes on, to a request that may be sent again. */
const refusal: Facts = {
  isForeign: false,
  extension: undefined,
  isExpired: true,
  sentWith: 'current',
  end: null,
  wasRefreshed: false,
  mayWait: true,
  isRefusedRoute: false,
  mayReplay: true,
  hasSendsLeft: true,
  canReplay: true,
}

const rows: [title: string, facts: Partial<Facts>, verdict: Verdict][] = [
  ['not refused', { isExpired: false }, 'served'],
  ['refused with the token that is held', {}, 'refresh'],
  ['refused with an older token', { sentWith: 'older' }, 'replay'],
  ['refused right after a refresh', { wasRefreshed: true }, 'refused-route'],
  [
    'refused right after a refresh, and a newer token has come since',
    { wasRefreshed: true, sentWith: 'older' },
    'replay',
  ],
  ['refused by a route that refuses fresh tokens', { isRefusedRoute: true }, 'deliver'],
  ['refused, and not to be sent again', { mayReplay: false }, 'refresh-behind'],
  ['refused with an older token, and not to be sent again', { mayReplay: false, sentWith: 'older' }, 'deliver'],
  ['refused for the third time', { hasSendsLeft: false }, 'deliver'],
  ['refused for the third time, after a refresh', { hasSendsLeft: false, wasRefreshed: true }, 'refused-route'],
  ['refused, and the server has ended the session', { sentWith: 'other-session', end: 'expired' }, 'session-over'],
  ['refused, and a theft was noticed', { sentWith: 'other-session', end: 'reused' }, 'session-over'],
  ['refused, and the user has signed out', { sentWith: 'other-session', end: 'signed-out' }, 'deliver'],
  ['refused, and another user has signed in', { sentWith: 'other-session', end: 'signed-in' }, 'deliver'],
  ['refused with nobody signed in', { sentWith: 'other-session' }, 'deliver'],
  [
    'ended by the server, but not to be sent again',
    { sentWith: 'other-session', end: 'expired', mayReplay: false },
    'deliver',
  ],
  [
    'ended by the server, and sent too often',
    { sentWith: 'other-session', end: 'expired', hasSendsLeft: false },
    'deliver',
  ],
  ['from a stranger', { isForeign: true }, 'deliver'],
  ['from a stranger, whatever an extension says', { isForeign: true, extension: 'replay' }, 'deliver'],
  ['an extension: deliver', { extension: 'deliver' }, 'deliver'],
  ['an extension: replay', { extension: 'replay', isExpired: false }, 'replay'],
  ['an extension: replay, and sent too often', { extension: 'replay', hasSendsLeft: false }, 'deliver'],
  ['an extension: replay, and the body can be read once', { extension: 'replay', canReplay: false }, 'deliver'],
  ['an extension: refresh', { extension: 'refresh', isExpired: false }, 'refresh'],
  [
    'an extension: refresh, right after one',
    { extension: 'refresh', isExpired: false, wasRefreshed: true },
    'refused-route',
  ],
]

test.each(rows)('%s', (_, facts, verdict) => {
  expect(judge({ ...refusal, ...facts })).toBe(verdict)
})

describe('whatever the facts', () => {
  const facts = fc.record<Facts>({
    isForeign: fc.boolean(),
    extension: fc.constantFrom(undefined, 'deliver', 'replay', 'refresh'),
    isExpired: fc.boolean(),
    sentWith: fc.constantFrom('current', 'older', 'other-session'),
    end: fc.constantFrom<Reason | null>(null, 'signed-out', 'signed-in', 'expired', 'revoked', 'reused'),
    wasRefreshed: fc.boolean(),
    mayWait: fc.boolean(),
    isRefusedRoute: fc.boolean(),
    mayReplay: fc.boolean(),
    hasSendsLeft: fc.boolean(),
    canReplay: fc.boolean(),
  })
  const sendsAgain: Verdict[] = ['replay', 'refresh', 'session-over']

  test('nothing is sent again that was sent too often, that the app forbids, or that a stranger answered', () => {
    fc.assert(
      fc.property(facts, (all) => {
        if (!sendsAgain.includes(judge(all))) return
        expect([all.isForeign, all.hasSendsLeft]).toEqual([false, true])
        expect(all.mayReplay || all.extension === 'replay').toBe(true)
      }),
    )
  })

  test('one refresh is not followed by another for the same request and token', () => {
    fc.assert(
      fc.property(facts, (all) => {
        const isAgain = judge({ ...all, wasRefreshed: true }) === 'refresh'
        expect(isAgain).toBe(false)
      }),
    )
  })
})

test('the token that a request was sent with is the current one, an older one, or of another session', () => {
  const state = { ...LOADING, status: 'authenticated' as const, reason: 'restored' as const }
  const view = { version: { generation: 2, revision: 3 }, state }
  expect(compareSent(view, { generation: 2, revision: 3 })).toBe('current')
  expect(compareSent(view, { generation: 2, revision: 2 })).toBe('older')
  expect(compareSent(view, { generation: 1, revision: 9 })).toBe('other-session')
  expect(compareSent(view, { generation: 0, revision: 0 })).toBe('older')
  expect(compareSent({ ...view, state: LOADING }, view.version)).toBe('other-session')
})
