// The pure core under any input: what arrives from servers, clocks and users is not ours to choose.

import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { claimsOf, type Credentials, merge } from '../../src/state/credentials.ts'
import { curedChange, mayWrite, reseatChange, wastedChange } from '../../src/state/changes.ts'
import { beginAttempt, beginSession, chargeBudget, endSession } from '../../src/state/steps.ts'
import { backoff, leewayFor, lifetimeOf, receivedFromApp, retryAfter } from '../../src/state/expiry.ts'
import { type Asked, planRefresh } from '../../src/state/plan.ts'
import { BLANK, isRecord, type SessionRecord } from '../../src/state/record.ts'
import { changedIn, LOADING, stateOf } from '../../src/state/view.ts'
import { InvalidTokenError } from '../../src/errors.ts'

const NOW = Date.UTC(2026, 0, 1)
const AT = receivedFromApp(NOW)
const anyNumber = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 1e308, 2 ** 31, 1e21),
)
const time = fc.oneof(fc.integer({ min: 0, max: 4e12 }), anyNumber)
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const json = fc.jsonValue({ maxDepth: 3 })
const claims = fc.record({ exp: fc.oneof(anyNumber, json), iat: fc.oneof(anyNumber, json) }, { requiredKeys: [] })

/** The text of a JWT, as a server would sign it; nobody here looks at the signature. */
const jwt = (payload: unknown): string =>
  ['{"alg":"none"}', JSON.stringify(payload)].map((part) => Buffer.from(part).toString('base64url')).join('.') + '.'

describe('the life of a token', () => {
  const hold = <T>(arbitrary: fc.Arbitrary<T>, check: (value: T, now: number) => void) =>
    fc.assert(fc.property(arbitrary, time, check))

  test('is a positive number of ms or unknown, whatever the server said', () => {
    const credentials = fc.record(
      { expiresAt: time, expiresInSeconds: anyNumber, claims: fc.option(claims) },
      { requiredKeys: [] },
    )
    hold(credentials, (said, now) => {
      const life = lifetimeOf(said, receivedFromApp(now))
      if (life !== null) expect(life > 0 && life < Infinity).toBe(true)
    })
  })

  test('comes from exp and iat alike on every device, however wrong its clock', () => {
    const stamps = fc.record({ iat: fc.integer(), exp: fc.integer() })
    hold(stamps, (said, now) => {
      expect(lifetimeOf({ claims: said }, receivedFromApp(now))).toBe(lifetimeOf({ claims: said }, AT))
    })
  })

  test('is what expires_in says, where both speak', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), claims, (expiresInSeconds, said) => {
        expect(lifetimeOf({ expiresInSeconds, claims: said }, AT)).toBe(expiresInSeconds * 1000)
      }),
    )
  })

  test.each([
    ['an exp without an iat', { claims: { exp: NOW / 1000 + 60 } }],
    ['an exp before its iat', { claims: { exp: 5, iat: 10 } }],
    ['an exp that is text', { claims: { exp: 'tomorrow', iat: 0 } }],
    ['no claims at all', { claims: null }],
    ['a negative expires_in', { expiresInSeconds: -1 }],
    ['expires_in: 0', { expiresInSeconds: 0 }],
    ['an expires_in beyond all numbers', { expiresInSeconds: 1e308 }],
    ['an expiresAt in the past', { expiresAt: NOW - 1 }],
  ])('is unknown with %s', (_, said) => {
    expect(lifetimeOf(said as Credentials, AT)).toBe(null)
  })

  const exp = NOW / 1000 + 60
  const [told, hidden] = [NOW, null].map((serverTime) => ({ at: NOW + 3_600_000, serverTime, isByServer: true }))
  test.each([
    ['exp against the Date of the answer', { claims: { exp } }, told, 60_000],
    ['expiresAt against the Date of the answer', { expiresAt: NOW + 30_000 }, told, 30_000],
    ['expiresAt before an exp', { expiresAt: NOW + 30_000, claims: { exp } }, told, 30_000],
    ['exp less iat before the Date', { claims: { exp, iat: exp - 5 } }, told, 5_000],
    ['exp less iat before expiresAt', { expiresAt: NOW + 30_000, claims: { exp, iat: exp - 5 } }, told, 5_000],
    ['expires_in before all else', { expiresInSeconds: 7, expiresAt: NOW + 30_000, claims: { exp } }, told, 7_000],
    ['a Date where exp and iat make no sense', { expiresAt: NOW + 30_000, claims: { exp: 5, iat: 10 } }, told, 30_000],
    ['nothing where the Date is hidden', { expiresAt: NOW + 30_000, claims: { exp } }, hidden, null],
    ['expires_in where the Date is hidden', { expiresInSeconds: 7, claims: { exp } }, hidden, 7_000],
    ['nothing for an exp that has passed', { claims: { exp: exp - 61 } }, told, null],
    ['the expiresAt of the app by this device', { expiresAt: NOW + 30_000, expiresInSeconds: 7 }, AT, 30_000],
    ['nothing for the exp alone of the app', { claims: { exp } }, AT, null],
    ['the exp alone of a login', { claims: { exp } }, { ...AT, serverTime: NOW + 10_000 }, 50_000],
  ])('is by %s', (_, said, receipt, life) => {
    expect(lifetimeOf(said, receipt!)).toBe(life)
  })

  test('is longer than its leeway, so that no token is born spent', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e15, noNaN: true }),
        fc.double({ min: 0, max: 1e15, noNaN: true }),
        (life, leeway) => {
          expect(leewayFor(life, leeway)).toBeLessThanOrEqual(life / 4)
        },
      ),
    )
  })
})

describe('leaving a failing server shareKey', () => {
  test('back-off is full jitter: never negative, and below a cap that doubles', () => {
    fc.assert(
      fc.property(fc.nat(10_000), chance, (failures, random) => {
        const ms = backoff(failures, random)
        expect(ms).toBeGreaterThanOrEqual(0)
        expect(ms).toBeLessThanOrEqual(Math.min(100_000, 500 * 2 ** failures))
        expect(backoff(failures, 0)).toBe(0)
      }),
    )
  })

  test.each([
    ['seconds', '7', 7000],
    ['a date', new Date(NOW + 90_000).toUTCString(), 90_000],
    ['no time at all', '0', 0],
    ['a billion seconds, clamped', '1000000000', 300_000],
    ['a date in a hundred years, clamped', new Date(NOW + 3e12).toUTCString(), 300_000],
  ])('Retry-After of %s is obeyed, and spread over as long again', (_, header, ms) => {
    expect(retryAfter(header, NOW, 0)).toBe(ms)
    expect(retryAfter(header, NOW, 0.5)).toBe(ms * 1.5)
  })

  test.each(['-7', 'soon', '', '1 fortnight', new Date(NOW - 1000).toUTCString(), '-Infinity', 'NaN', null, undefined])(
    'Retry-After: %s says nothing',
    (header) => {
      expect(retryAfter(header, NOW, 0.5)).toBe(null)
    },
  )

  test('no header makes anybody wait longer than ten minutes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), anyNumber.map(String), fc.date().map(String)), chance, (header, random) => {
        const ms = retryAfter(header, NOW, random)
        expect(ms === null || (ms >= 0 && ms < 600_000)).toBe(true)
      }),
    )
  })
})

describe('claims', () => {
  test('of any text are an object or null', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.array(fc.base64String(), { maxLength: 5 }).map((parts) => parts.join('.')),
      json.map(jwt),
    )
    fc.assert(
      fc.property(text, (token) => {
        expect(typeof claimsOf(token)).toBe('object')
      }),
    )
  })

  test('of a token are its payload, in any script', () => {
    const payload = fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'grapheme' }), fc.integer()))
    fc.assert(
      fc.property(payload, (said) => {
        expect(claimsOf(jwt(said))).toEqual(JSON.parse(JSON.stringify(said)))
      }),
    )
  })

  test.each(['', '.', '..', 'a.b.c', 'e30', 'null', jwt(null), jwt('text'), jwt(7), `${jwt({}).slice(0, -3)}%`])(
    'of %j are none',
    (token) => {
      expect(claimsOf(token)).toBe(null)
    },
  )

  test('of a megabyte are none, and cost nothing', () => {
    const huge = jwt({ sub: 'x'.repeat(2 ** 20) })
    const parse = vi.spyOn(JSON, 'parse')
    expect(claimsOf(huge)).toBe(null)
    expect(parse).not.toHaveBeenCalled()
    parse.mockRestore()
  })

  test('named __proto__ poison nothing', () => {
    const token = `e30.${Buffer.from('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}').toString('base64url')}.`
    const { claims: found, ...rest } = merge({ user: null }, { accessToken: token })
    expect(Object.hasOwn(found!, '__proto__')).toBe(true)
    expect('isAdmin' in {}).toBe(false)
    expect('isAdmin' in rest).toBe(false)
    const state = stateOf<unknown, object>(LOADING, { claims: found! }, null, 'restored')
    expect('isAdmin' in state || 'isAdmin' in state.claims!).toBe(false)
  })
})

describe('what is held after an answer', () => {
  const token = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '.', '_', '~', '+', '/', '='), minLength: 1 })
  const held = fc.record(
    { accessToken: token, refreshToken: token, user: fc.record({ id: fc.string() }), organizationId: fc.string() },
    { requiredKeys: [] },
  )

  test('is what was held, but for what the answer says', () => {
    fc.assert(
      fc.property(held, held, (old, fresh) => {
        const next = merge(old, fresh)
        for (const name of ['accessToken', 'refreshToken', 'user', 'organizationId'] as const)
          expect(next[name]).toEqual(name in fresh ? fresh[name] : old[name])
      }),
    )
  })

  test('keeps the refresh token that an answer leaves out (RFC 6749 §6), and drops one that it takes away', () => {
    const old = { accessToken: 'a', refreshToken: 'r' }
    expect(merge(old, { accessToken: 'b' })).toMatchObject({ accessToken: 'b', refreshToken: 'r' })
    expect(merge(old, { accessToken: 'b', refreshToken: undefined })).toMatchObject({ refreshToken: 'r' })
    expect(merge(old, { accessToken: 'b', refreshToken: null })).toMatchObject({ refreshToken: null })
  })

  test('never inherits a life from the token before', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (expiresAt, expiresInSeconds) => {
        const next = merge({ accessToken: 'a', expiresAt, expiresInSeconds }, { accessToken: 'b' })
        expect(lifetimeOf(next, AT)).toBe(null)
      }),
    )
  })

  test('has no token that could not stand in a header', () => {
    const bad = fc.oneof(
      fc.constantFrom('a\r\nx-evil: 1', 'a b', 'ä', '\0', 'a\u007f', 'a\n', '\u2028'),
      fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !/^[!-~]*$/.test(text)),
    )
    fc.assert(
      fc.property(bad, fc.constantFrom('accessToken', 'refreshToken'), (text, name) => {
        expect(() => merge({ accessToken: 'a' }, { [name]: text })).toThrow(InvalidTokenError)
      }),
    )
  })
})

describe('the state', () => {
  const times = fc.record({ iat: fc.nat(), exp: fc.nat(), nbf: fc.nat(), jti: fc.string() })
  const content = fc
    .dictionary(fc.string({ unit: fc.constantFrom('a', 'b', 'sub', 'role') }), json)
    .filter((said) => !['iat', 'exp', 'nbf', 'jti'].some((name) => name in said))

  test('keeps user and claims, the very objects, where only the times of minting differ', () => {
    fc.assert(
      fc.property(content, content, times, times, (user, said, before, after) => {
        const old = stateOf(LOADING, { user, claims: { ...said, ...before } }, 1, 'restored')
        const next = stateOf(old, { user: structuredClone(user), claims: { ...said, ...after } }, 2, 'refreshed')
        expect(next.user).toBe(old.user)
        expect(next.claims).toBe(old.claims)
        expect(changedIn(next, old)).toEqual(['expiresAt', 'reason'])
      }),
    )
  })

  test('keeps them too where the server names more or fewer of the times, or names things in another order', () => {
    const old = stateOf(LOADING, { claims: { sub: 'ann', role: 'reader', exp: 1 } }, null, 'restored')
    expect(stateOf(old, { claims: { sub: 'ann', role: 'reader', jti: 'x' } }, null, 'refreshed').claims).toBe(
      old.claims,
    )
    expect(stateOf(old, { claims: { exp: 1, sub: 'ann', role: 'reader' } }, null, 'refreshed').claims).toBe(old.claims)
  })

  test('tells any other difference', () => {
    fc.assert(
      fc.property(content, fc.string(), (said, more) => {
        const old = stateOf(LOADING, { user: said, claims: said }, null, 'restored')
        const next = stateOf(old, { user: { ...said, more }, claims: { ...said, more } }, null, 'refreshed')
        expect(next.user).not.toBe(old.user)
        expect(changedIn(next, old)).toEqual(expect.arrayContaining(['user', 'claims']))
      }),
    )
  })

  test('is frozen, and has no token', () => {
    const state = stateOf(
      LOADING,
      { accessToken: 'canary', refreshToken: 'canary', data: { is: 'canary' } },
      1,
      'restored',
    )
    expect(Object.isFrozen(state)).toBe(true)
    expect(JSON.stringify(state)).not.toContain('canary')
  })

  test('the same answer once more is no news', () => {
    const old = stateOf(LOADING, { user: { id: 1 } }, 5, 'restored')
    expect(changedIn(stateOf(old, { user: { id: 1 } }, 5, 'refreshed'), old)).toEqual([])
  })
})

describe('the plan', () => {
  const version = { generation: 1, revision: 3 }
  const record: SessionRecord = { ...BLANK, version, signedIn: true, attempt: 4, mintedBy: 4 }
  const asked: Asked = { forced: false, reload: false, version, attempt: 4 }
  const clock = fc.oneof(fc.integer({ min: 0, max: 1e13 }), fc.constantFrom(0, NOW, 2 ** 53))

  test('an attempt of before the clock was set back counts neither now nor when its time comes again', () => {
    const [due, minute] = [NOW, 60_000]
    const tried = { ...record, charges: Array<number>(5).fill(due + 30_000) }
    expect(planRefresh(tried, asked, due, 0)).toBe('send')
    const later = { ...beginAttempt(tried, due, 10_000), sent: null }
    expect(planRefresh(later, asked, due + minute, 0)).toBe('send')
    expect(planRefresh(tried, asked, due + minute, 0)).toBe('give-up') // as it is, where the clock was never set back
  })

  test('is never to wait longer than an attempt or a cool-down lasts, whatever the clock did meanwhile', () => {
    const span = fc.integer({ min: 0, max: 300_000 })
    fc.assert(
      fc.property(clock, clock, span, span, span, fc.boolean(), (then, now, timeout, cool, replayWindow, forced) => {
        const found = { ...beginAttempt(record, then, timeout), coolUntil: then + cool }
        const plan = planRefresh(found, { ...asked, forced, attempt: found.attempt }, now, replayWindow)
        expect(plan).not.toBe('adopt')
        if (typeof plan === 'number') {
          expect(plan).toBeGreaterThan(now)
          expect(plan - now).toBeLessThan(600_000)
        }
      }),
    )
  })

  test('is to send, where nothing speaks against it', () => {
    fc.assert(fc.property(clock, (now) => planRefresh(record, asked, now, 0) === 'send'))
  })

  test('is to wait for an attempt of unknown outcome, but not inside the replay window', () => {
    const sent = beginAttempt(record, NOW, 10_000)
    expect(planRefresh(sent, asked, NOW, 0)).toBe(NOW + 10_000)
    expect(planRefresh(sent, asked, NOW + 9999, 0)).toBe(NOW + 10_000)
    expect(planRefresh(sent, asked, NOW + 10_000, 0)).toBe('send')
    expect(planRefresh(sent, asked, NOW + 1999, 2000)).toBe('send')
    expect(planRefresh(sent, asked, NOW + 2000, 2000)).toBe(NOW + 10_000)
  })

  test('is to adopt what came since the asking, and of a forced one only what was sent since', () => {
    const newer = { ...record, version: { generation: 1, revision: 4 } }
    expect(planRefresh(newer, asked, NOW, 0)).toBe('adopt')
    expect(planRefresh(newer, { ...asked, forced: true }, NOW, 0)).toBe('send')
    const minted = { ...newer, attempt: 5, mintedBy: 5 }
    expect(planRefresh(minted, { ...asked, forced: true }, NOW, 0)).toBe('adopt')
    expect(planRefresh(minted, { ...asked, forced: true, reload: true }, NOW, 0)).toBe('send')
    expect(planRefresh({ ...minted, reloadedBy: 5 }, { ...asked, forced: true, reload: true }, NOW, 0)).toBe('adopt')
    expect(planRefresh({ ...minted, reloadedBy: 5 }, { ...asked, shareKey: 'acme' }, NOW, 0)).toBe('send')
  })

  test('is to adopt where the session is another one, or none', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.nat(5),
        fc.option(fc.string(), { nil: undefined }),
        (forced, generation, shareKey) => {
          fc.pre(generation !== 1)
          const other = { ...record, version: { generation, revision: 3 } }
          // What is forced is fresh only by a refresh: a sign-in may have begun before it was asked for.
          const plan = planRefresh(other, { ...asked, forced, shareKey }, NOW, 0)
          expect(plan).toBe(forced ? 'send' : 'adopt')
          expect(planRefresh({ ...record, signedIn: false }, { ...asked, forced, shareKey }, NOW, 0)).toBe('adopt')
        },
      ),
    )
  })

  test('is to give up after five automatic refreshes within a minute that brought nothing; forced ones go on', () => {
    const tired = [1, 2, 3, 4, 5, 6, 7].reduce((old, n) => chargeBudget(old, NOW + n), record)
    expect(tired.charges).toHaveLength(5)
    expect(planRefresh(tired, asked, NOW + 10, 0)).toBe('give-up')
    expect(planRefresh(tired, { ...asked, forced: true }, NOW + 10, 0)).toBe('send')
    expect(planRefresh(tired, asked, NOW + 60_010, 0)).toBe('send')
  })
})

describe('a refresh that cured nothing', () => {
  const version = { generation: 1, revision: 3 }
  const record: SessionRecord = { ...BLANK, version, signedIn: true }
  const asked: Asked = { forced: false, reload: false, version, attempt: 0 }
  const of = (...at: number[]): SessionRecord => ({
    ...record,
    wasted: at.map((each, revision) => ({ revision, at: each })),
  })

  test.each<[string, SessionRecord | null, typeof version, number[] | undefined]>([
    ['is charged', record, version, [3]],
    ['is charged once', { ...record, wasted: [{ revision: 3, at: 1 }] }, version, undefined],
    ['is charged beside another', { ...record, wasted: [{ revision: 2, at: 1 }] }, version, [2, 3]],
    ['is charged though there is a newer token', { ...record, version: { generation: 1, revision: 9 } }, version, [3]],
    ['of another session is not', record, { generation: 2, revision: 3 }, undefined],
    ['of a session that is over is not', { ...record, signedIn: false }, version, undefined],
    ['of a record that was cleared is not', null, version, undefined],
  ])('%s', (_, old, refused, revisions) => {
    expect(wastedChange(refused, NOW)(old)?.wasted.map(({ revision }) => revision)).toEqual(revisions)
  })

  test('is forgiven once another request was served with its token', () => {
    const charged = { ...record, wasted: [2, 3].map((revision) => ({ revision, at: NOW })) }
    expect(curedChange(version)(charged)?.wasted).toEqual([])
    expect(curedChange({ generation: 1, revision: 2 })(charged)?.wasted).toEqual([{ revision: 3, at: NOW }])
    expect(curedChange({ generation: 1, revision: 4 })(charged)?.wasted).toEqual([])
    expect(curedChange({ generation: 1, revision: 1 })(charged)).toBe(undefined)
    expect(curedChange({ generation: 2, revision: 3 })(charged)).toBe(undefined)
  })

  test('puts others off only after five within a minute, for ever longer, and stops no forced one', () => {
    const five = of(...Array<number>(5).fill(NOW))
    expect(planRefresh(of(...Array<number>(4).fill(NOW)), asked, NOW, 0)).toBe('send')
    expect(planRefresh(five, asked, NOW, 0)).toBe('give-up')
    expect(planRefresh(five, { ...asked, forced: true }, NOW, 0)).toBe('send')
    expect(planRefresh(five, asked, NOW + 1000, 0)).toBe('send')
    const seven = of(...Array<number>(7).fill(NOW))
    expect(planRefresh(seven, asked, NOW, 0)).toBe('give-up')
    expect(planRefresh(seven, asked, NOW + 4000, 0)).toBe('send')
    expect(planRefresh(five, asked, NOW - 1, 0)).toBe('send') // the clock was set back
  })
})

describe('the fence', () => {
  test('no generation comes again where the record was cleared, and attempts count from the clock', () => {
    const minted = { reason: 'signed-in', receivedAt: NOW, lifetime: null } as const
    const at = (attempt: number): SessionRecord => ({
      ...BLANK,
      version: { generation: 5, revision: 2 },
      signedIn: true,
      attempt,
    })
    for (const next of [beginSession(at(3), minted), endSession(at(3), 'signed-out')])
      expect(next.version).toEqual({ generation: 6, revision: 0 })
    for (const next of [beginSession(at(NOW), minted), endSession(at(NOW), 'signed-out')])
      expect(next.version).toEqual({ generation: NOW, revision: 0 })
  })

  test('lets nobody write but the last attempt of the same session', () => {
    const version = fc.record({ generation: fc.nat(3), revision: fc.nat(3) })
    const found = fc
      .record({ version, attempt: fc.nat(3), signedIn: fc.boolean() })
      .map((own) => ({ ...BLANK, ...own }))
    fc.assert(
      fc.property(fc.option(found), found, (stands, own) => {
        const isMine =
          stands?.signedIn === true &&
          stands.attempt === own.attempt &&
          stands.version.generation === own.version.generation
        expect(mayWrite(stands, own)).toBe(isMine)
      }),
    )
  })
})

describe('a record that is found', () => {
  const times = { first: NOW, at: NOW + 1, deadline: NOW + 2 }

  test.each<[string, object]>([
    ['nobody', BLANK],
    ['an attempt under way', { ...BLANK, sent: times }],
    ['a reload that is waited for', { ...BLANK, attempt: 5, mintedBy: 5, reloadedBy: 4, reloadFrom: 6 }],
    ['a lifetime that a server has made very long', { ...BLANK, lifetime: 1e18 }],
  ])('makes sense: %s', (_, record) => expect(isRecord(record)).toBe(true))

  test.each<[string, unknown]>([
    ['nothing', null],
    ['an empty object', {}],
    ['another layout', { ...BLANK, layout: 1 }],
    ['a version that is no number', { ...BLANK, version: { generation: '1', revision: 0 } }],
    ['a version below nothing', { ...BLANK, version: { generation: -1, revision: 0 } }],
    ['no version', { ...BLANK, version: {} }],
    ['an attempt that counts no further', { ...BLANK, attempt: Number.MAX_SAFE_INTEGER }],
    ['an attempt that is no number', { ...BLANK, attempt: NaN }],
    ['a refresh by a later attempt', { ...BLANK, attempt: 5, mintedBy: 6 }],
    ['a reload by a later attempt', { ...BLANK, attempt: 5, reloadedBy: 6 }],
    ['a reload that is waited for after that', { ...BLANK, attempt: 5, reloadFrom: 7 }],
    ['a receipt that is no time', { ...BLANK, receivedAt: Infinity }],
    ['a cool-down below nothing', { ...BLANK, coolUntil: -1 }],
    ['a lifetime that is a text', { ...BLANK, lifetime: 'long' }],
    ['an attempt without times', { ...BLANK, sent: {} }],
    ['an attempt that ends before it begins', { ...BLANK, sent: { ...times, deadline: NOW } }],
    ['an attempt without an end', { ...BLANK, sent: { ...times, deadline: Infinity } }],
  ])('makes none: %s', (_, record) => expect(isRecord(record)).toBe(false))
})

describe('what a tab held in memory, once the storage works again', () => {
  const at = (generation: number, signedIn: boolean, reason: SessionRecord['reason']): SessionRecord => ({
    ...BLANK,
    version: { generation, revision: 0 },
    signedIn,
    reason,
  })
  test.each<[string, SessionRecord, SessionRecord | null, boolean]>([
    ['a sign-in, where nothing is stored', at(9, true, 'signed-in'), null, true],
    ['a sign-in, over the session before', at(9, true, 'signed-in'), at(5, true, 'refreshed'), true],
    ['a sign-in, under the next', at(9, true, 'signed-in'), at(10, true, 'signed-in'), false],
    ['a sign-out', at(9, false, 'signed-out'), at(5, true, 'refreshed'), true],
    ['that nobody was found says nothing of what is stored', at(9, false, 'restored'), at(5, true, 'refreshed'), false],
  ])('%s', (_, held, stored, isWritten) => {
    expect(reseatChange(held)(stored)).toBe(isWritten ? held : undefined)
  })
})
