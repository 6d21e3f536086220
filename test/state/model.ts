// The pure core in a small world, explored breadth first: two tabs, one record, a lock, a server that rotates and takes the
// second use of a refresh token for theft, one request per tab, one forced refresh, and mishaps. Only what may happen is
// said here; what is done then is asked of the core. The oracles judge by what really happened (tokens by their login and
// number, sendings in order), never by versions that the core made.

import * as changes from '../../src/state/changes.ts'
import * as planning from '../../src/state/plan.ts'
import * as recordSteps from '../../src/state/steps.ts'
import * as record from '../../src/state/record.ts'
import * as verdicts from '../../src/state/verdict.ts'
import * as views from '../../src/state/view.ts'

export const core = { ...changes, ...planning, ...record, ...recordSteps, ...verdicts, ...views }
export type Core = typeof core

/** Both tokens of a pair: of which login, the how many-th, and which sending minted it (0: the login did). */
interface Token {
  login: number
  nth: number
  sent: number
}

/** A refresh that was sent: on its way to the server, answered there, or nothing to wait for any more. */
interface Wire {
  tab: number
  sent: number
  token: Token
  journal: record.SessionRecord
  stage: 'out' | 'answered' | 'done'
  answer: Token | 'over' | 'refused' | 'lost' | null
  /** A later attempt, a sign-in or an end came into the record: this one may write no more. */
  isPassed: boolean
  isKept: boolean
}

interface Flight {
  forced: boolean
  reload: boolean
  version: record.Version
  attempt: number
  stage: 'lock' | 'plan' | 'journal' | 'out' | 'rest'
  found: record.SessionRecord | null
  held: Token | null
  /** Index of its wire, or the time until which it rests. */
  until: number
  waiters: number[]
}

interface Known {
  record: record.SessionRecord
  token: Token | null
}

interface Tab {
  view: views.View<unknown, unknown>
  token: Token | null
  life: 'live' | 'frozen' | 'dead'
  line: Flight[]
  /** News from the other tab: to be read, then read and to be adopted. */
  news: 'none' | 'due' | Known
  isSigningOut: boolean
  /** The last login whose end this tab knows of. */
  ended: number
}

interface Caller {
  tab: number
  kind: 'request' | 'force'
  stage: 'idle' | 'back' | 'waits' | 'ok' | 'refused' | 'failed' | 'ended' | 'gone'
  status: number
  generation: number
  login: number
  sentWith: record.Version | null
  wasRefreshed: boolean
  sends: number
  tries: number
  /** Of a forced one: how many refreshes had been sent when it asked. */
  after: number
}

interface World {
  now: number
  record: record.SessionRecord
  token: Token | null
  /** The last login that was signed out in the record. */
  ended: number
  lock: number
  tabs: Tab[]
  callers: Caller[]
  wires: Wire[]
  /** By login: the refresh token that is good, the first access token that is, when the last one was spent. */
  server: { nth: number; alive: number; isOver: boolean; spentAt: number }[]
  mishaps: string[]
}

export interface Violation {
  oracle: string
  trace: string[]
}

export interface Explored {
  states: number
  /** How often each kind of step was taken. */
  steps: { [step: string]: number }
  violation: Violation | null
}

export interface Scope {
  /** Who asks for what, in which tab; each does so once, whenever it likes. */
  callers: readonly [tab: number, kind: Caller['kind']][]
  /** How many mishaps may come together. Each kind comes once at most. */
  mishaps: number
  /** Which mishaps. @default all */
  kinds?: readonly string[]
  /** In ticks, what the server forgives. A refresh has one tick. @default 0 */
  replayWindow?: number
}

class Broken extends Error {}

// Records, views and tokens never change: of equal ones one is kept, and written down as its number.
const canon = <T extends object>() => {
  const known = new Map<string, T>()
  return (value: T): T => {
    if (Object.hasOwn(value, 'toJSON')) return value
    const content = JSON.stringify(value)
    const old = known.get(content)
    if (old) return old
    const id = known.size
    const kept = Object.defineProperty({ ...value }, 'toJSON', { value: () => id })
    known.set(content, kept)
    return kept
  }
}

const fork = (world: World): World => ({
  ...world,
  tabs: world.tabs.map((tab) => ({
    ...tab,
    line: tab.line.map((flight) => ({ ...flight, waiters: [...flight.waiters] })),
  })),
  callers: world.callers.map((caller) => ({ ...caller })),
  wires: world.wires.map((wire) => ({ ...wire })),
  server: world.server.map((family) => ({ ...family })),
})

const must = (holds: boolean, oracle: string): void => {
  if (!holds) throw new Broken(oracle)
}

const TIMEOUT = 1
const MOST_SENDS = 3
const MOST_TRIES = 3
const NOWHERE = -1

const isBehind = (a: record.Version, b: record.Version): boolean =>
  a.generation < b.generation || (a.generation === b.generation && a.revision < b.revision)
const isSame = (a: Token | null, b: Token | null): boolean => a?.login === b?.login && a?.nth === b?.nth

export function explore(using: Core, { callers: asking, mishaps, kinds, replayWindow = 0 }: Scope): Explored {
  const { beginAttempt, beginSession, compareSent, completeAttempt, endOf, endSession, findShared } = using
  const { isNewer, judge, LOADING, loseAnswer, mayWrite, planRefresh, stateOf } = using
  const oneRecord = canon<record.SessionRecord>()
  const oneView = canon<Tab['view']>()
  const oneToken = canon<Token>()

  function begin(): World {
    const issued = { reason: 'signed-in', receivedAt: 0, lifetime: null } as const
    const first = oneRecord(beginSession(using.BLANK, issued))
    const token = oneToken({ login: 1, nth: 0, sent: 0 })
    const tab = (): Tab => ({
      view: oneView({ version: using.BLANK.version, state: LOADING }),
      token: null,
      life: 'live',
      line: [],
      news: 'due',
      isSigningOut: false,
      ended: 0,
    })
    const caller = (of: number, kind: Caller['kind']): Caller => ({
      tab: of,
      kind,
      stage: 'idle',
      status: 0,
      generation: 0,
      login: 0,
      sentWith: null,
      wasRefreshed: false,
      sends: 0,
      tries: 0,
      after: 0,
    })
    const world: World = {
      now: 0,
      record: first,
      token,
      ended: 0,
      lock: NOWHERE,
      tabs: [tab(), tab()],
      callers: asking.map(([of, kind]) => caller(of, kind)),
      wires: [],
      // The first access token is dead already, and only the server knows.
      server: [
        { nth: 0, alive: 0, isOver: true, spentAt: 0 },
        { nth: 0, alive: 1, isOver: false, spentAt: 0 },
      ],
      mishaps: [],
    }
    adopt(world, 0, world)
    world.tabs[0]!.news = 'none'
    return world
  }

  // What a tab does with news.

  function see(tab: Tab, event: views.ViewEvent<unknown, unknown>): void {
    const before = tab.view
    tab.view = oneView(using.nextView(tab.view, event))
    must(!isBehind(tab.view.version, before.version), 'I6: the version of a tab went back')
  }

  function adopt(world: World, at: number, { record: { version, ...known }, token }: Known): void {
    const tab = world.tabs[at]!
    const held = known.signedIn ? token : null
    const next = stateOf(tab.view.state, held && { user: { login: held.login } }, null, known.reason)
    const before = tab.view
    see(tab, { type: 'known', version, state: next })
    if (tab.view === before) return
    if (tab.token && !held) tab.ended = tab.token.login
    tab.token = held
  }

  function write(world: World, by: number, next: record.SessionRecord, token: Token | null): void {
    must(!isBehind(next.version, world.record.version), 'I6: the version of the record went back')
    world.record = oneRecord(next)
    world.token = token
    world.tabs.forEach((tab, at) => {
      if (at !== by && tab.life !== 'dead') tab.news = 'due'
    })
  }

  const pass = (world: World): void => world.wires.forEach((wire) => (wire.isPassed = true))

  // One refresh, as refresh/exchange does it.

  function ask(world: World, who: number, forced: boolean): void {
    const caller = world.callers[who]!
    const { line, view } = world.tabs[caller.tab]!
    const place = findShared(line, { forced, reload: false })
    const flight: Flight = line[place] ?? {
      forced,
      reload: false,
      version: view.version,
      attempt: 0,
      stage: 'lock',
      found: null,
      held: null,
      until: NOWHERE,
      waiters: [],
    }
    if (place < 0) line.push(flight)
    if (place > 0) flight.forced ||= forced
    if (isNewer(view.version, flight.version)) flight.version = view.version
    if (forced) flight.attempt = world.record.attempt
    flight.waiters.push(who)
    caller.stage = 'waits'
  }

  function end(world: World, at: number, outcome: 'done' | 'give-up' | 'late' | 'failed'): void {
    const tab = world.tabs[at]!
    if (world.lock === at) world.lock = NOWHERE
    if (outcome === 'done') adopt(world, at, world)
    if (outcome === 'late' || outcome === 'failed') see(tab, { type: 'failing' })
    for (const who of tab.line.shift()!.waiters) resume(world, who, outcome)
  }

  function resume(world: World, who: number, outcome: 'done' | 'give-up' | 'late' | 'failed'): void {
    const caller = world.callers[who]!
    const { view, token } = world.tabs[caller.tab]!
    const isNews = !!caller.sentWith && isNewer(view.version, caller.sentWith)
    if (caller.kind === 'force') {
      caller.stage = outcome === 'done' ? 'ok' : 'failed'
      if (outcome === 'done' && token?.login === caller.login)
        must(token.sent > caller.after, 'I14: forced, and given what was asked for before')
    } else if (outcome === 'late') caller.stage = 'failed'
    else if (outcome === 'give-up') caller.stage = 'refused'
    else if (caller.generation !== view.version.generation) caller.stage = 'ended'
    else if (outcome === 'failed' && !isNews)
      if (++caller.tries < MOST_TRIES) ask(world, who, false)
      else caller.stage = 'failed'
    else {
      caller.wasRefreshed = isNews
      send(world, who)
    }
  }

  /** Somebody else was faster: what is to be done now, another look at the record will say. */
  function again(world: World, at: number): void {
    if (world.lock === at) world.lock = NOWHERE
    world.tabs[at]!.line[0]!.stage = 'lock'
  }

  /** Whether nobody can receive its answer any more: its tab is dead, or its connection was lost. */
  const isLost = ({ tabs }: World, { tab, stage, answer }: Wire): boolean =>
    tabs[tab]!.life === 'dead' || (stage === 'done' && answer === 'lost')

  /** The record as a tab sees it that has asked for the lock of the last attempt: a frozen tab keeps that lock. */
  function asSeen(world: World): record.SessionRecord {
    const { record: found, wires } = world
    const sender = wires.findLast(({ journal: { attempt } }) => attempt === found.attempt)
    return found.sent?.endsWithPage && sender && isLost(world, sender) ? loseAnswer(found) : found
  }

  function journal(world: World, at: number, flight: Flight): void {
    const { record: before, now, wires, server } = world
    const { found, held: token, forced } = flight
    if (!token) return end(world, at, 'done')
    if (!mayWrite(before, found!) || isNewer(before.version, found!.version)) {
      return again(world, at)
    }
    const next = beginAttempt(before, now, TIMEOUT, true)
    const others = wires.filter((wire) => wire.token.login === token.login)
    const mayCome = (wire: Wire): boolean => {
      const { at: sentAt, deadline } = wire.journal.sent!
      return now >= sentAt + replayWindow && now < deadline && !isLost(world, wire)
    }
    must(!others.some((wire) => wire.stage !== 'done' && mayCome(wire)), 'I1: two refreshes in flight')
    const alike = others.filter((wire) => isSame(wire.token, token) && wire.answer !== 'refused')
    must(!alike.some(mayCome), 'I2: a refresh token sent again, though its answer may still come')
    must(!alike.some(({ isKept }) => isKept), 'I2: a refresh token sent again, though its successor is held')
    const { isOver, alive } = server[token.login]!
    must(forced || isOver || token.nth < alive, 'I9: a live token refreshed, and nobody forced it')
    pass(world)
    write(world, at, next, world.token)
    wires.push({
      tab: at,
      sent: wires.length + 1,
      token,
      journal: world.record,
      stage: 'out',
      answer: null,
      isPassed: false,
      isKept: false,
    })
    flight.stage = 'out'
    flight.until = wires.length - 1
  }

  function serve({ server, now }: World, wire: Wire): void {
    const family = server[wire.token.login]!
    const { nth, spentAt } = family
    wire.stage = 'answered'
    const isSpent = wire.token.nth !== nth
    if (isSpent && now >= spentAt + replayWindow) family.isOver = true
    if (family.isOver) wire.answer = 'over'
    else if (isSpent) wire.answer = oneToken({ ...wire.token, nth, sent: wire.sent })
    else {
      Object.assign(family, { nth: nth + 1, alive: Math.max(family.alive, nth + 1), spentAt: now })
      wire.answer = oneToken({ ...wire.token, nth: nth + 1, sent: wire.sent })
    }
  }

  function answered(world: World, wire: Wire, index: number): void {
    const { record: old, token } = world
    const { tab: at, answer, journal: journalOf } = wire
    const [flight] = world.tabs[at]!.line
    const isAwaited = flight?.stage === 'out' && flight.until === index
    wire.stage = 'done'
    if (typeof answer !== 'object' && answer !== 'over') {
      // Nothing of use: a status that says so, or no answer at all, after which the token may be spent.
      if (mayWrite(old, journalOf))
        write(world, at, answer === 'refused' ? { ...old, sent: null } : loseAnswer(old), token)
      if (isAwaited) end(world, at, 'failed')
      return
    }
    if (mayWrite(old, journalOf)) {
      wire.isKept = true
      must(!wire.isPassed, 'I21: committed by one that had lost its turn')
      const issued = { reason: 'refreshed', receivedAt: 0, lifetime: null } as const
      if (answer === 'over') pass(world)
      const next = answer === 'over' ? endSession(old, 'expired') : completeAttempt(old, issued, false)
      write(world, at, next, answer === 'over' ? null : answer)
    } else if (isAwaited) return again(world, at)
    if (isAwaited) end(world, at, 'done')
    else adopt(world, at, world)
  }

  function fly(world: World, at: number): void {
    const { record: found, token, now, wires } = world
    const flight = world.tabs[at]!.line[0]!
    if (flight.stage === 'lock') {
      world.lock = at
      flight.stage = 'plan'
    } else if (flight.stage === 'plan') {
      const plan = planRefresh(asSeen(world), flight, now, replayWindow)
      const sender = wires.findLast(({ journal: { attempt } }) => attempt === found.attempt)
      must(
        !(typeof plan === 'number' && plan > now) || !sender || !isLost(world, sender),
        'I3: waits for an answer that nobody can receive',
      )
      if (plan === 'adopt') end(world, at, 'done')
      else if (plan === 'give-up') end(world, at, 'give-up')
      else if (plan === 'send') Object.assign(flight, { stage: 'journal', found, held: token })
      else {
        if (world.lock === at) world.lock = NOWHERE
        Object.assign(flight, { stage: 'rest', until: plan })
      }
    } else if (flight.stage === 'journal') journal(world, at, flight)
    else if (flight.stage === 'rest') flight.stage = 'lock'
    else end(world, at, 'late')
  }

  const mayFly = ({ lock, now, wires }: World, { stage, until }: Flight): boolean => {
    if (stage === 'lock') return lock === NOWHERE
    if (stage === 'rest') return now >= until
    return stage !== 'out' || now >= wires[until]!.journal.sent!.deadline
  }

  // One request, as request/intercept does it.

  function send({ tabs, callers, server }: World, who: number): void {
    const caller = callers[who]!
    const { view, token } = tabs[caller.tab]!
    must((token?.login ?? 0) === caller.login, 'I13: sent as somebody else')
    must(++caller.sends <= MOST_SENDS, 'I9: sent too often')
    caller.sentWith = view.version
    const family = server[token?.login ?? 0]!
    caller.status = token && !family.isOver && token.nth >= family.alive ? 200 : 401
    caller.stage = 'back'
  }

  function issue(world: World, who: number): void {
    const caller = world.callers[who]!
    const { view, token } = world.tabs[caller.tab]!
    caller.generation = view.version.generation
    caller.login = token?.login ?? 0
    if (caller.kind === 'request') return send(world, who)
    caller.after = world.wires.length
    if (token) ask(world, who, true)
    else caller.stage = 'ok'
  }

  function land(world: World, who: number): void {
    const caller = world.callers[who]!
    if (caller.status === 200) caller.stage = 'ok'
    else {
      const { view } = world.tabs[caller.tab]!
      const started = { ...view, version: { ...view.version, generation: caller.generation } }
      const said = judge({
        isForeign: false,
        extension: undefined,
        isExpired: true,
        sentWith: compareSent(view, caller.sentWith!),
        end: endOf(started, view),
        wasRefreshed: caller.wasRefreshed,
        isRefusedRoute: false,
        mayReplay: true,
        mayWait: true,
        hasSendsLeft: caller.sends < MOST_SENDS,
        canReplay: true,
      })
      if (said === 'replay') send(world, who)
      else if (said === 'refresh') ask(world, who, false)
      else caller.stage = 'refused'
    }
  }

  // What may happen next.

  type Step = [name: string, take: (world: World) => void]

  function stepsFrom(world: World): Step[] {
    const steps: Step[] = []
    world.tabs.forEach((tab, at) => {
      if (tab.life === 'frozen') steps.push([`thaw ${at}`, ({ tabs }) => (tabs[at]!.life = 'live')])
      if (tab.life !== 'live') return
      if (tab.news === 'due')
        steps.push([`read ${at}`, (next) => (next.tabs[at]!.news = { record: next.record, token: next.token })])
      else if (tab.news !== 'none')
        steps.push([
          `adopt ${at}`,
          (next) => {
            adopt(next, at, next.tabs[at]!.news as Known)
            next.tabs[at]!.news = 'none'
          },
        ])
      if (tab.isSigningOut)
        steps.push([
          `write the sign-out ${at}`,
          (next) => {
            pass(next)
            next.ended = next.token?.login ?? next.ended
            write(next, at, endSession(next.record, 'signed-out'), null)
            next.tabs[at]!.isSigningOut = false
            adopt(next, at, next)
          },
        ])
      if (tab.line[0] && mayFly(world, tab.line[0])) steps.push([`${tab.line[0].stage} ${at}`, (next) => fly(next, at)])
    })
    world.callers.forEach(({ stage, tab }, who) => {
      const { life, view } = world.tabs[tab]!
      if (life !== 'live') return
      if (stage === 'idle' && view.state.status !== 'loading') steps.push([`issue ${who}`, (next) => issue(next, who)])
      if (stage === 'back') steps.push([`land ${who}`, (next) => land(next, who)])
    })
    world.wires.forEach(({ stage, tab }, index) => {
      const { life } = world.tabs[tab]!
      if (stage === 'out') steps.push([`serve ${index}`, (next) => serve(next, next.wires[index]!)])
      if (stage === 'answered' && life === 'live')
        steps.push([`answer ${index}`, (next) => answered(next, next.wires[index]!, index)])
    })
    const isWaitedFor = world.tabs.some(
      ({ life, line: [flight] }) =>
        life === 'live' &&
        !!flight &&
        !mayFly(world, flight) &&
        (flight.stage === 'rest' || (flight.stage === 'out' && world.mishaps.includes('stall'))),
    )
    if (isWaitedFor) steps.push(['tick', (next) => next.now++])
    return steps
  }

  function mishapsIn(world: World): Step[] {
    const steps: Step[] = []
    const add = (name: string, where: number, take: Step[1]): void => {
      if (world.mishaps.length >= mishaps || world.mishaps.includes(name) || !(kinds?.includes(name) ?? true)) return
      steps.push([
        `${name} ${where}`,
        (next) => {
          next.mishaps = [...next.mishaps, name].sort()
          take(next)
        },
      ])
    }
    world.tabs.forEach((tab, at) => {
      const { life, token, line, isSigningOut } = tab
      if (life !== 'live') return
      const isBusy = line.length > 0 && line[0]!.stage !== 'lock'
      if (token)
        add('sign-out', at, ({ tabs }) => {
          const it = tabs[at]!
          it.ended = it.token!.login
          it.token = null
          it.isSigningOut = true
          see(it, { type: 'signed-out' })
        })
      if (tab.view.state.status !== 'loading')
        add('sign-in', at, (next) => {
          pass(next)
          next.server.push({ nth: 0, alive: 0, isOver: false, spentAt: 0 })
          const issued = { reason: 'signed-in', receivedAt: 0, lifetime: null } as const
          write(next, at, beginSession(next.record, issued), oneToken({ login: 2, nth: 0, sent: 0 }))
          adopt(next, at, next)
        })
      if (isBusy && !isSigningOut)
        add('kill', at, (next) => {
          const it = next.tabs[at]!
          Object.assign(it, { life: 'dead', line: [], news: 'none' })
          for (const caller of next.callers) if (caller.tab === at) caller.stage = 'gone'
          if (next.lock === at) next.lock = NOWHERE
        })
      if (isBusy || isSigningOut)
        add('freeze', at, (next) => {
          next.tabs[at]!.life = 'frozen'
          if (next.lock === at) next.lock = NOWHERE
        })
      if (world.lock === at) add('rob', at, (next) => (next.lock = NOWHERE))
    })
    world.wires.forEach(({ stage, token }, index) => {
      if (stage === 'out') {
        add('stall', index, () => {})
        add('refuse', index, ({ wires }) => Object.assign(wires[index]!, { stage: 'answered', answer: 'refused' }))
        add('lose', index, ({ wires }) => Object.assign(wires[index]!, { stage: 'answered', answer: 'lost' }))
        add('revoke', index, ({ server }) => (server[token.login]!.isOver = true))
      }
      if (stage === 'answered' && typeof world.wires[index]!.answer === 'object')
        add('lose the answer', index, ({ wires }) => (wires[index]!.answer = 'lost'))
    })
    if (world.token && world.token.nth > 0)
      add('expire', 0, ({ server, token }) => (server[token!.login]!.alive = token!.nth + 1))
    return steps
  }

  // What holds in every world, and what must have come about in one where nothing happens any more.

  function always({ record: shared, token, ended, tabs }: World): void {
    must(shared.signedIn === !!token, 'I22: the record and what it speaks of disagree')
    must((token?.login ?? Infinity) > ended, 'I5: the record came back after its sign-out')
    for (const { view, token: held, ended: known } of tabs) {
      must((view.state.status === 'authenticated') === !!held, 'I22: a tab says what it does not hold')
      must((held?.login ?? Infinity) > known, 'I5: a tab came back after the sign-out it knew of')
      const isShared = held && token && !isBehind(view.version, shared.version)
      must(!isShared || isSame(held, token), 'I22: two credentials of one version')
    }
  }

  function atRest({ record: shared, tabs, callers, lock, mishaps: had }: World): void {
    must(lock === NOWHERE, 'I11: the lock is never freed')
    for (const { stage } of callers) {
      must(stage !== 'idle' && stage !== 'waits' && stage !== 'back', 'I3: a caller waits for ever')
      must(had.length > 0 || stage === 'ok', 'I26: a request failed, and nothing was wrong')
    }
    for (const { life, line, view } of tabs) {
      if (life === 'dead') continue
      must(line.length === 0, 'I3: a refresh stands in line for ever')
      const { generation, revision } = view.version
      const { version, signedIn: isIn } = shared
      must(generation === version.generation && (!isIn || revision === version.revision), 'I15: a tab missed the news')
      must((view.state.status === 'authenticated') === isIn, 'I15: a tab is of another opinion')
    }
  }

  // Breadth first, so that the first violation found is a shortest one.

  const worlds: World[] = []
  const cameFrom: number[] = []
  const cameBy: string[] = []
  const seen = new Map<string, number>()
  const steps: Explored['steps'] = {}
  const resting: number[] = []
  const before: number[][] = []
  const add = (world: World, from: number, by: string): number => {
    const key = JSON.stringify(world)
    const old = seen.get(key)
    if (old !== undefined) return old
    seen.set(key, worlds.length)
    worlds.push(world)
    before.push([])
    cameFrom.push(from)
    cameBy.push(by)
    return worlds.length - 1
  }
  const traceTo = (index: number): string[] => (index > 0 ? [...traceTo(cameFrom[index]!), cameBy[index]!] : [])

  add(begin(), NOWHERE, '')
  for (let index = 0; index < worlds.length; index++) {
    let name = ''
    try {
      const world = worlds[index]!
      always(world)
      const free = stepsFrom(world)
      if (free.length === 0) {
        atRest(world)
        resting.push(index)
      }
      for (const [step, take] of [...free, ...mishapsIn(world)]) {
        name = step
        const next = fork(world)
        take(next)
        const kind = step.replace(/ \d+$/, '')
        steps[kind] = (steps[kind] ?? 0) + 1
        before[add(next, index, step)]!.push(index)
      }
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      const trace = [...traceTo(index), ...(name ? [name] : [])]
      return { states: worlds.length, steps, violation: { oracle: error.message, trace } }
    }
  }
  // Backwards from where nothing happens any more: whoever is not met there goes round in circles.
  const ends = new Set(resting)
  for (const index of ends) for (const earlier of before[index]!) ends.add(earlier)
  const lost = worlds.findIndex((_, index) => !ends.has(index))
  const violation = lost < 0 ? null : { oracle: 'I11: it never comes to rest', trace: traceTo(lost) }
  return { states: worlds.length, steps, violation }
}
