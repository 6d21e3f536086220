// One tab: a platform of its own for the session in it, and a life: hidden, frozen, in the back/forward cache, stalled, killed.

import type { Platform } from 'resesh'
import type { Browser } from './browser.ts'
import type { Clock } from './clock.ts'
import type { Dice } from './dice.ts'
import type { Tab, View } from './facts.ts'

export type Nap = 'freeze' | 'bfcache' | 'stall'

export interface LiveTab extends Tab {
  readonly platform: Platform
  view: () => View
  nap: Nap | null
  /** Hears it like a page: `freeze` and `resume` at the document alone. */
  dispatch(type: string): void
  sleep(nap: Nap): void
  wake(): void
  kill(): void
  hide(isHidden: boolean): void
}

export interface TabOptions {
  readonly clock: Clock
  readonly browser: Browser
  readonly dice: Dice
  wall(): number
  isOnline(): boolean
  fetchOf(tab: Tab): typeof fetch
}

type Listener = (event: { type: string }) => void

const ORIGIN = 'https://app.test'

export function createTab(id: number, { clock, browser, dice, wall, isOnline, fetchOf }: TabOptions): LiveTab {
  const { at } = clock
  const listeners: { place: string; type: string; run: Listener; signal: AbortSignal | undefined }[] = []
  const timers = new Map<number, () => void>()
  let lastTimer = 0

  const listenAt =
    (place: string) =>
    (type: string, run: Listener, { signal }: AddEventListenerOptions = {}): void =>
      void listeners.push({ place, type, run, signal })

  const tab: LiveTab = {
    id,
    openedAt: clock.time,
    breaks: [],
    returnedAt: -Infinity,
    throttle: 0,
    isHidden: false,
    life: 'running',
    parked: [],
    nap: null,
    platform: {},
    view: () => {
      throw new Error('No session yet')
    },
    dispatch(type) {
      const places = /^(freeze|resume)$/.test(type) ? 'document' : type === 'visibilitychange' ? 'both' : 'window'
      for (const { place, type: wanted, run, signal } of listeners)
        if (wanted === type && (places === place || places === 'both') && !signal?.aborted) run({ type })
    },
    sleep(nap) {
      if (tab.nap || tab.life !== 'running') return
      tab.nap = nap
      if (nap === 'freeze') tab.dispatch('freeze')
      if (nap === 'bfcache') tab.dispatch('pagehide')
      // What the handlers began may go on as far as it can without time passing.
      at(0.001, null, () => {
        if (tab.life !== 'running') return
        tab.life = 'frozen'
        tab.breaks.push(clock.time)
      })
    },
    wake() {
      if (tab.life !== 'frozen') return
      const { nap } = tab
      tab.life = 'running'
      tab.nap = null
      tab.breaks.push(clock.time)
      if (nap !== 'stall') tab.returnedAt = clock.time
      const tell = (): void => {
        if (nap === 'freeze') tab.dispatch('resume')
        if (nap === 'bfcache') tab.dispatch('pageshow')
      }
      // Messages and answers that waited come before or after it.
      if (dice.chance(0.5)) tell()
      else at(dice.between(0, 1), tab, tell)
      clock.unpark(tab)
    },
    kill() {
      tab.life = 'dead'
      tab.breaks.push(clock.time)
      tab.parked = []
      browser.bury(tab)
    },
    hide(isHidden) {
      if (tab.isHidden === isHidden || tab.life !== 'running') return
      tab.isHidden = isHidden
      tab.throttle = isHidden ? dice.pick([1000, 1000, 60_000]) : 0
      tab.dispatch('visibilitychange')
    },
  }

  const platform = {
    Date: Object.assign(class extends Date {}, { now: () => Math.floor(wall()) }),
    performance: { now: () => clock.time - tab.openedAt },
    Math: Object.assign(Object.create(Math) as Math, { random: dice.fork() }),
    setTimeout(run: () => void, ms = 0) {
      const timer = ++lastTimer
      // As the real one: what it can't hold fires at once.
      const due = clock.time + (ms > 2 ** 31 - 1 ? 0 : Math.max(0, ms))
      const late = tab.throttle ? Math.ceil(due / tab.throttle) * tab.throttle : due
      timers.set(
        timer,
        at(late - clock.time, tab, () => {
          timers.delete(timer)
          run()
        }),
      )
      return timer
    },
    clearTimeout(timer: number) {
      timers.get(timer)?.()
      timers.delete(timer)
    },
    navigator: {
      locks: browser.locksOf(tab),
      get onLine() {
        return isOnline()
      },
    },
    BroadcastChannel: browser.channelOf(tab),
    document: {
      get visibilityState() {
        return tab.isHidden ? 'hidden' : 'visible'
      },
      baseURI: `${ORIGIN}/`,
      cookie: '',
      addEventListener: listenAt('document'),
    },
    addEventListener: listenAt('window'),
    location: { origin: ORIGIN, href: `${ORIGIN}/` },
    fetch: fetchOf(tab),
    indexedDB: null,
    localStorage: null,
    crypto: null,
  }
  return Object.assign(tab, { platform: platform as unknown as Platform })
}
