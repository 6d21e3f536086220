// One schedule: a few tabs, each with a real session in it, live through what the seed says, and the oracles look on.

import type { createSession, Session } from 'resesh'
import type { bearer } from 'resesh/backends/bearer'
import { createBrowser } from './browser.ts'
import { createClock } from './clock.ts'
import { createDice, type Dice } from './dice.ts'
import type { Call, Facts, Look, Oracle, Value, View } from './facts.ts'
import { API, createNetwork } from './network.ts'
import * as appOracles from './oracles-app.ts'
import * as refreshOracles from './oracles-refresh.ts'
import { play } from './scenario.ts'
import { type Claims, createServer, type Server } from './server.ts'
import { createTab, type LiveTab } from './tab.ts'

/** What is looked at: the source itself, or a mutant of it. */
export interface Sdk {
  readonly createSession: typeof createSession
  readonly bearer: typeof bearer
}

export interface Result {
  readonly seed: number
  readonly hash: string
  /** `I5 tab 2 stores …`, or null. */
  readonly violation: string | null
  readonly steps: number
  readonly trace: readonly string[]
  readonly thefts: number
}

export interface OpenTab extends LiveTab {
  readonly session: Session<{ id: string; v: number }, Claims>
}

/** What the scenario may do. */
export interface Stage {
  readonly dice: Dice
  readonly server: Server
  readonly tabs: readonly OpenTab[]
  /** 0: none. */
  faults: number
  isOnline: boolean
  now(): number
  after(ms: number, run: () => void): void
  open(): void
  /** The wall clock of the device is set. */
  jump(ms: number): void
  call(
    tab: OpenTab,
    kind: string,
    run: (id: string, signal?: AbortSignal) => Promise<unknown>,
    abortAfter?: number,
  ): void
  note(text: string): void
}

const ORACLES: Record<string, Oracle> = { ...refreshOracles, ...appOracles }
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
  const calls: Call[] = []
  const tabs: OpenTab[] = []
  const attempts = new Map<LiveTab, number>()

  const clock = createClock(dice.fork())
  const now = (): number => clock.time
  const note = (text: string): void => {
    const line = `${clock.time.toFixed(2)} ${text}`
    for (let place = 0; place < line.length; place++) hash = Math.imul(hash ^ line.charCodeAt(place), 0x01000193)
    if (isTraced) trace.push(line)
  }
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
      now,
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
    server,
    tabs,
    faults: dice.pick([0, 0.05, 0.15, 0.3]),
    isOnline: true,
    now,
    after: (ms, run) => void clock.at(ms, null, run),
    note,
    jump(ms) {
      note(`the wall clock moves by ${ms}`)
      skew += ms
      for (const one of network.sent) (one as { jumped: boolean }).jumped = true
    },
    open,
    call(tab, kind, run, abortAfter) {
      const abort = abortAfter === undefined ? null : new AbortController()
      const view = tab.session.current
      const call: Call = {
        id: String(calls.length),
        kind,
        tab,
        at: clock.time,
        view,
        edition: view.claims ? server.editionOf(view.claims.sub) : 0,
        abort,
        abortedAt: Infinity,
        settledAt: Infinity,
        value: null,
        error: null,
      }
      calls.push(call)
      note(`tab ${tab.id} calls ${call.id} ${kind}`)
      publish('called', call)
      const settle = (how: Partial<Call>, text: string): void => {
        Object.assign(call, how, { settledAt: clock.time })
        note(`${call.id} settles: ${text}`)
        publish('settled', call)
      }
      run(call.id, abort?.signal).then(
        (value) => settle({ value }, typeof value === 'number' ? String(value) : typeof value),
        (error: unknown) => {
          publish('told', logged(error))
          settle({ error }, String(error))
        },
      )
      if (!abort) return
      clock.at(abortAfter!, tab, () => {
        if (call.settledAt < Infinity) return
        note(`${call.id} is aborted`)
        call.abortedAt = clock.time
        abort.abort(new Error('enough'))
        clock.at(0, null, () => publish('aborted', call))
      })
    },
  }

  const faults = (): number => stage.faults
  const browser = createBrowser({
    clock,
    dice: dice.fork(),
    faults,
    onPost: (message) => publish('posted', message),
    onStored(owner, before, after) {
      const tab = owner as LiveTab
      const [old, next] = [parse(before), parse(after)!]
      const { record } = next
      if (old && record.attempt > old.record.attempt) attempts.set(tab, record.attempt)
      const { generation, revision } = record.version
      note(`tab ${tab.id} writes ${generation}.${revision} ${record.reason} attempt ${record.attempt}`)
      publish('stored', tab, old, next)
    },
  })
  const network = createNetwork({
    clock,
    dice: dice.fork(),
    server,
    faults,
    isOnline: () => stage.isOnline,
    callOf: (id) => (id === null ? null : (calls[+id] ?? null)),
    attemptOf: (tab) => attempts.get(tab as LiveTab) ?? 0,
    onSent: (one) => publish('sent', one),
    note: (tab, text) => note(`tab ${tab.id} ${text}`),
  })

  const look = {
    timeout: TIMEOUT,
    replayWindow,
    now,
    sent: network.sent,
    calls,
    access: (token: string) => server.access.get(token),
    family: (id: number) => server.families[id - 1],
    familyOf: (token: string) => server.refresh.get(token),
    isOver: server.isOver,
  } satisfies Omit<Look, 'fail'>
  const watchers = Object.entries(ORACLES).map(([name, oracle]) =>
    oracle({
      ...look,
      fail(why) {
        note(`${name}: ${why}`)
        violation ??= `${name} ${why}`
      },
    }),
  )

  function publish<K extends keyof Facts>(fact: K, ...details: Parameters<Facts[K]>): void {
    for (const watcher of watchers) (watcher[fact] as ((...all: unknown[]) => void) | undefined)?.(...details)
  }

  function open(): void {
    const id = tabs.length + 1
    note(`tab ${id} opens`)
    const tab = createTab(id, {
      clock,
      browser,
      dice: dice.fork(),
      wall: () => START + skew + clock.time,
      isOnline: () => stage.isOnline,
      fetchOf: network.fetchOf,
    })
    const session = sdk.createSession<{ id: string; v: number }, Claims>({
      backend: sdk.bearer({ refreshUrl: `${API}/refresh`, signOutUrl: `${API}/sign-out`, userUrl: `${API}/me` }),
      storage: browser.storageOf(tab),
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
    session.on('error', ({ error }) => publish('told', logged(error)))
    session.on('trace', (event) => publish('told', JSON.stringify(event)))
    tabs.push(Object.assign(tab, { session }))
  }

  const onRejection = (error: unknown): void => publish('rejected', error)
  process.on('unhandledRejection', onRejection)
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
    process.off('unhandledRejection', onRejection)
    for (const { session } of tabs) session.dispose()
  }
  return { seed, hash: (hash >>> 0).toString(16), violation, steps: clock.steps, trace, thefts }
}

function logged(error: unknown): string {
  const { message, cause } = error as Error
  return cause ? `${message} ${logged(cause)}` : message
}
