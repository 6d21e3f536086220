// One schedule: a few tabs, each with a real session in it, live through what the seed says, and the oracles look on.

import { createBrowser } from './browser.ts'
import { createCalls, logged } from './calls.ts'
import { createClock } from './clock.ts'
import { createDice } from './dice.ts'
import type { Call, Facts, Look, Oracle, Publish, Value, View } from './facts.ts'
import { API, createNetwork } from './network.ts'
import * as appOracles from './oracles-app.ts'
import * as refreshOracles from './oracles-refresh.ts'
import { play, strike } from './scenario.ts'
import { type Claims, createServer } from './server.ts'
import type { OpenTab, Result, Sdk, Stage } from './stage.ts'
import { createTab, type LiveTab } from './tab.ts'

const ORACLES: [name: string, oracle: Oracle][] = [refreshOracles, appOracles].flatMap(Object.entries)
const TIMEOUT = 10_000
const START = Date.UTC(2026, 0, 1)
// Longer than the lock's patience, three tries and their back-off, on a timer that fires once a minute.
const LONG_ENOUGH = 300_000

const parse = (text: string | null): Value | null => JSON.parse(text ?? 'null') as Value | null

export async function simulate(seed: number, sdk: Sdk, isTraced = false): Promise<Result> {
  const dice = createDice(seed)
  const trace: string[] = []
  let hash = 0x811c9dc5
  let violation: string | null = null
  let thefts = 0
  let skew = 0
  let slept = 0
  let jumpedAt = -1
  let setBackAt = -1
  let clearedAt = -Infinity
  const calls: Call[] = []
  const tabs: OpenTab[] = []
  const attempts = new Map<LiveTab, number>()

  const clock = createClock(dice.fork())
  const now = (): number => clock.time
  const worldTime = (): number => clock.time + slept
  const note = (text: string): void => {
    const line = `${clock.time.toFixed(2)} ${text}`
    for (let place = 0; place < line.length; place++) hash = Math.imul(hash ^ line.charCodeAt(place), 0x01000193)
    if (isTraced) trace.push(line)
  }
  // Each fact goes to the oracles that want to see it.
  const heard = new Map<keyof Facts, ((...details: unknown[]) => void)[]>()
  const publish: Publish = (fact, ...details) => heard.get(fact)?.forEach((hear) => hear(...details))

  const replayWindow = dice.pick([0, 0, 10_000, 30_000])
  const lifeSeconds = dice.pick([15, 40, 60, 300])
  const sessionLife = dice.chance(0.1) ? dice.between(20_000, 90_000) : Infinity
  const refreshAhead = dice.pick(['visible', 'always', 'never'] as const)
  note(`window ${replayWindow}, life ${lifeSeconds} s, ahead ${refreshAhead}`)

  const server = createServer(
    {
      replayWindow,
      lifeSeconds,
      sessionLife,
      now: worldTime,
      onTheft(family, token, nth) {
        thefts++
        note(`theft: session ${family.id} is revoked`)
        publish('stolen', family, token, nth)
      },
      onDone: (id) => publish('executed', calls[+id]!),
    },
    dice.fork(),
  )

  const stage: Stage = {
    dice: dice.fork(),
    // Dice of their own: without a sleep, the schedule of a seed is the one that it was before machines could sleep.
    nights: createDice(~seed),
    server,
    tabs,
    faults: dice.pick([0, 0.05, 0.15, 0.3]),
    isOnline: true,
    isStormy: false,
    now,
    after: (ms, run) => void clock.at(ms, null, run),
    note,
    jump(ms) {
      note(`the wall clock moves by ${ms}`)
      skew += ms
      jumpedAt = clock.time
      if (ms < 0) setBackAt = clock.time
    },
    sleep(ms) {
      note(`the machine sleeps for ${ms}`)
      slept += ms
      jumpedAt = clock.time
    },
    clear() {
      note('the storage is cleared')
      clearedAt = clock.time
      browser.clear()
      publish('cleared')
    },
    slowDown(ms) {
      note(`the storage answers nothing for ${ms} ms`)
      browser.slowDown(ms)
    },
    open,
    call: createCalls({ clock, server, calls, note, publish }),
  }

  const faults = (): number => stage.faults
  const browser = createBrowser({
    clock,
    dice: dice.fork(),
    faults,
    onPost: (message) => publish('posted', message),
    onStolen(owner) {
      const tab = owner as LiveTab
      note(`tab ${tab.id} is robbed of the lock`)
      tab.breaks.push(clock.time)
    },
    onStored(owner, before, after) {
      const tab = owner as LiveTab
      const [old, next] = [parse(before), parse(after)!]
      const { record } = next
      if (old && record.attempt > old.record.attempt) attempts.set(tab, record.attempt)
      const { generation, revision } = record.version
      note(`tab ${tab.id} writes ${generation}.${revision} ${record.reason} attempt ${record.attempt}`)
      publish('stored', tab, old, next)
      strike(stage, tab)
    },
  })
  const network = createNetwork({
    clock,
    dice: dice.fork(),
    server,
    faults,
    isOnline: () => stage.isOnline,
    isStormy: () => stage.isStormy,
    callOf: (id) => (id === null ? null : (calls[+id] ?? null)),
    attemptOf: (tab) => attempts.get(tab as LiveTab) ?? 0,
    onSent: (one) => publish('sent', one),
    slowUntil: () => browser.slowUntil,
    note: (tab, text) => note(`tab ${tab.id} ${text}`),
  })

  const look = {
    timeout: TIMEOUT,
    replayWindow,
    life: lifeSeconds * 1000,
    now,
    worldTime,
    jumpedAt: () => jumpedAt,
    setBackAt: () => setBackAt,
    clearedAt: () => clearedAt,
    upsetAt: () => Math.max(jumpedAt, clearedAt),
    sent: network.sent,
    calls,
    access: (token: string) => server.access.get(token),
    family: (id: number) => server.families[id - 1],
    familyOf: (token: string) => server.refresh.get(token),
    isOver: server.isOver,
  } satisfies Omit<Look, 'fail'>
  for (const [name, oracle] of ORACLES) {
    const watcher = oracle({
      ...look,
      fail(why) {
        note(`${name}: ${why}`)
        violation ??= `${name} ${why}`
      },
    })
    for (const [fact, hear] of Object.entries(watcher) as [keyof Facts, (...details: unknown[]) => void][])
      heard.set(fact, [...(heard.get(fact) ?? []), hear])
  }

  function open(): void {
    const id = tabs.length + 1
    note(`tab ${id} opens`)
    const tab = createTab(id, {
      clock,
      browser,
      dice: dice.fork(),
      wall: () => START + skew + worldTime(),
      isOnline: () => stage.isOnline,
      fetchOf: network.fetchOf,
    })
    const session = sdk.createSession<{ id: string; v: number }, Claims>({
      backend: sdk.bearer({ refreshUrl: `${API}/refresh`, signOutUrl: `${API}/sign-out`, userUrl: `${API}/me` }),
      storage: sdk.custom(browser.storageOf(tab)),
      platform: tab.platform,
      timeout: TIMEOUT,
      replayWindow,
      refreshAhead,
    })
    tab.view = () => session.current
    session.on('change', ({ current, previous, reason, source }) => {
      note(`tab ${id} sees ${current.status} ${current.claims?.fam ?? ''} (${reason}, ${source})`)
      publish('changed', tab, current, previous as View)
      publish('told', JSON.stringify(current))
    })
    // A listener that fails harms nobody.
    session.on('change', () => Promise.reject(new Error('A listener failed')))
    session.on('error', ({ error }) => publish('told', logged(error)))
    session.on('trace', (event) => publish('told', JSON.stringify(event)))
    tabs.push(Object.assign(tab, { session }))
  }

  // Nobody else is to hear of what belongs to this world.
  const others = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', (error) => publish('rejected', error))
  try {
    const isWrong = (): boolean => violation !== null
    await play(stage, {
      until: (time) => clock.until(time, isWrong),
      settled: (time) =>
        clock.until(
          time,
          () => isWrong() || calls.every(({ tab, settledAt }) => tab.life === 'dead' || settledAt < Infinity),
        ),
      longEnough: LONG_ENOUGH,
    })
    const alive = tabs.filter(({ life }) => life === 'running')
    if (!violation) publish('ended', alive, parse(browser.stored))
  } finally {
    process.removeAllListeners('unhandledRejection')
    for (const other of others) process.on('unhandledRejection', other)
    for (const { session } of tabs) session.dispose()
  }
  return { seed, hash: (hash >>> 0).toString(16), violation, steps: clock.steps, trace, thefts }
}
