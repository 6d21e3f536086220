// The checker over the pure core: nothing goes wrong in any world it reaches, and it would notice if something did.

import { createSession, type Credentials, defineBackend } from 'resesh'
import { describe, expect, test } from 'vitest'
import { core, explore, type Scope } from './model.ts'
import { mutant } from '../support/mutant.ts'

const requests: Scope = {
  callers: [
    [0, 'request'],
    [1, 'request'],
  ],
  mishaps: 1,
}
const forced: Scope = {
  callers: [
    [0, 'force'],
    [1, 'request'],
  ],
  mishaps: 1,
}
const together: Scope = {
  callers: [
    [0, 'force'],
    [0, 'request'],
  ],
  mishaps: 1,
}
const undisturbed: Scope = { ...together, mishaps: 0 }
const forgiving = { replayWindow: 2 }
const comings: Scope = { ...forced, mishaps: 2, kinds: ['sign-in', 'sign-out'] }

const mishaps = 'sign-out, sign-in, kill, freeze, rob, stall, refuse, revoke, lose, lose the answer, expire'.split(', ')
const steps = 'issue, land, lock, plan, journal, serve, answer, out, tick, read, adopt, thaw, write the sign-out'.split(
  ', ',
)

// DEEP=1: whatever two mishaps come together. Some two million worlds, and some minutes.
const isDeep = !!process.env['DEEP']
const timeout = isDeep ? 900_000 : 60_000

describe('two tabs, whatever the order and the mishap', { timeout }, () => {
  test.each([
    ['a request in each', requests, 15_000],
    ['a request in each, of a server that forgives', { ...requests, ...forgiving }, 10_000],
    ['a forced refresh in one, a request in the other', forced, 15_000],
    ['a forced refresh and a request in one', together, 10_000],
  ])('%s', (_, scope, most) => {
    const found = explore(core, { ...scope, mishaps: isDeep ? 2 : 1 })
    expect(found.violation).toBe(null)
    expect(found.states).toBeGreaterThan(most)
    for (const step of [...steps, ...mishaps]) expect(found.steps, step).toHaveProperty([step])
  })

  // A tab that has not heard of the sign-in gives its own sign-out the same generation: the refresh that follows is no news.
  test('a sign-in in one and a sign-out in the other', () => {
    const found = explore(core, comings)
    expect(found.violation).toBe(null)
    expect(found.states).toBeGreaterThan(5_000)
  })
})

// The checker's first find, in one tab: the late answer is stored between the next attempt's look at the record and its
// journal, so that the refresh token it saw has been spent.
test(
  'a late answer and the next attempt: no spent refresh token is sent, whichever comes first',
  { timeout },
  async () => {
    for (let microtasks = 0; microtasks < 30; microtasks++) {
      const sent: string[] = []
      let isStored = false
      let skew = 0
      let answer!: (late: Credentials) => void
      const session = createSession({
        backend: defineBackend({
          refresh({ refreshToken }) {
            sent.push(refreshToken!)
            const user = { nth: sent.length }
            if (sent.length === 1) return new Promise((done) => (answer = done))
            return Promise.resolve({ accessToken: 'later', refreshToken: 'later', user })
          },
        }),
        initial: { accessToken: 'first', refreshToken: 'first' },
        timeout: 10,
        platform: {
          Math: Object.assign(Object.create(Math), { random: () => 0 }),
          Date: Object.assign(Object.create(Date), { now: () => Date.now() + skew }),
        },
      })
      await session.ready()
      session.on('change', ({ current }) => (isStored ||= current.user?.['nth'] === 1))
      session.on('trace', async ({ type }) => {
        if (type !== 'refresh-end' || skew) return
        skew = 1000 // the deadline is over
        for (let i = 0; i < microtasks; i++) await Promise.resolve()
        answer({ accessToken: 'late', refreshToken: 'late', user: { nth: 1 } })
      })
      const first = session.refresh()
      await new Promise((done) => setTimeout(done))
      await Promise.allSettled([first, session.refresh()])
      session.dispose()
      if (isStored) expect(sent, `${microtasks} microtasks`).toEqual(['first', 'late'])
    }
  },
)

describe('a core that', { timeout }, () => {
  const mistakes: [oracle: string, mistake: string, module: string, right: string, wrong: string, where?: Scope][] = [
    ['I1', 'lets an earlier attempt write', 'changes', 'record.attempt === journal.attempt && ', ''],
    ['I1', 'gives two attempts one number', 'steps', 'attempt: record.attempt + 1', 'attempt: record.attempt'],
    ['I1', 'does not care for an attempt under way', 'plan', 'return mayBeUnderWay ? sent.deadline : ', 'return '],
    ['I1', 'sends again inside a window that is none', 'plan', 'now >= sent.first + r', 'now > sent.first + r'],
    ['I3', 'waits for a page that is gone', 'steps', 'deadline: 0 }', 'at: 0 }'],
    ['I5', 'signs out in place', 'view', 'generation: version.generation + 1, revision: ', '...version, by: '],
    ['I6', 'believes whatever it hears last', 'view', 'isUnwritten && isNewer(found, version)', 'isUnwritten'],
    ['I15', 'puts the revision first', 'record', 'a.generation > b.generation || ', 'a.revision > b.revision || '],
    [
      'I13',
      'signs out without a new generation',
      'view',
      'generation: version.generation + 1',
      'generation: version.generation',
    ],
    ['I9', 'never adopts', 'plan', 'asked.shareKey === undefined && isDone', 'false && isDone'],
    ['I9', 'refreshes for a late refusal', 'verdict', "isNewer(version, sentWith) ? 'older' : ", ''],
    ['I11', 'waits for an attempt for ever', 'plan', ' && now < sent.deadline', ''],
    ['I13', 'thinks every session the same', 'record', '!then.generation ||', 'true ||'],
    ['I13', 'replays as whoever is signed in', 'verdict', '!isSameSession(sentWith, version)', 'false'],
    ['I13', 'lets its own sign-out be overtaken', 'view', 'revision: Infinity', 'revision: 0', comings],
    ['I14', 'takes for fresh what was under way', 'plan', 'mintedBy > asked', 'mintedBy >= asked', forced],
    ['I14', 'lets a forced one join the one that runs', 'plan', '(!forced || place > 0)', 'true', undisturbed],
    ['I15', 'believes nothing it hears', 'view', '!isUnwritten && isNewer(found, version)', 'false'],
    [
      'I21',
      'lets another session write',
      'changes',
      ' && record.version.generation === journal.version.generation',
      '',
    ],
    ['I22', 'gives two credentials one version', 'steps', 'record.version.revision + 1', 'record.version.revision'],
    ['I22', 'gives two sessions one generation', 'steps', 'version.generation + 1', 'version.generation'],
    ['I26', 'takes the same version for news', 'record', 'a.revision > b.revision', 'a.revision >= b.revision'],
    ['I26', 'forgets when an attempt ends', 'steps', 'deadline: at + timeout', 'deadline: at'],
    [
      'I26',
      'hands back what it could have cured',
      'verdict',
      "? 'refresh' : 'refresh-behind'",
      "? 'deliver' : 'refresh-behind'",
    ],
  ]

  test.each(mistakes)('(%s) %s is found out', async (oracle, _, module, right, wrong, where = requests) => {
    const { violation } = explore(await mutant(module, right, wrong), where)
    expect(violation?.oracle, violation?.trace.join(', ')).toMatch(`${oracle}: `)
  })
})
