// What the tabs of one browser share: locks, channels, and the storage. Each call takes a little time, and a tab may be
// killed between any two steps: its locks are freed then, and what it had written stays.

import type { ItemStorage } from '../../src/storage/custom.ts'
import type { Clock, Owner } from './clock.ts'
import type { Dice } from './dice.ts'

export interface BrowserOptions {
  readonly clock: Clock
  readonly dice: Dice
  /** How likely a message between tabs is lost, doubled or late, now. */
  faults(): number
  onPost(message: unknown): void
  /** A tab is robbed of the lock. */
  onStolen(tab: Owner): void
  onStored(tab: Owner, old: string | null, next: string): void
}

export interface Browser {
  locksOf(tab: Owner): LockManager
  channelOf(tab: Owner): typeof BroadcastChannel
  storageOf(tab: Owner): Required<ItemStorage>
  /** What is stored now. */
  readonly stored: string | null
  /** The user clears the site's data. */
  clear(): void
  /** Nothing that is asked of the storage is answered before so many ms have passed. */
  slowDown(ms: number): void
  readonly slowUntil: number
  /** Frees what it held. */
  bury(tab: Owner): void
}

interface Claim {
  readonly name: string
  readonly tab: Owner
  readonly hold: () => Promise<unknown>
  readonly signal: AbortSignal | undefined
  resolve(value: unknown): void
  reject(reason: unknown): void
}

export function createBrowser({ clock, dice, faults, onPost, onStolen, onStored }: BrowserOptions): Browser {
  const { at } = clock

  // By name. A shared lock is never waited for here: each has a name of its own.
  const holders: Claim[] = []
  const waiting: Claim[] = []
  const holderOf = (name: string): Claim | undefined => holders.find((claim) => claim.name === name)

  function free(claim: Claim): void {
    const place = holders.indexOf(claim)
    if (place < 0) return
    holders.splice(place, 1)
    const next = waiting.find(({ name }) => name === claim.name)
    if (!next || holderOf(claim.name)) return
    waiting.splice(waiting.indexOf(next), 1)
    grant(next)
  }

  function grant(claim: Claim): void {
    holders.push(claim)
    const { tab, hold, signal, resolve, reject } = claim
    at(dice.between(0, 3), tab, () => {
      if (signal?.aborted) {
        free(claim)
        reject(signal.reason)
        return
      }
      void hold().then((value) => {
        free(claim)
        resolve(value)
      }, reject)
    })
  }

  const locksOf = (tab: Owner): LockManager => {
    const request = (
      name: string,
      { signal, steal, mode }: LockOptions,
      hold: () => Promise<unknown>,
    ): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const claim: Claim = { name, tab, hold, signal, resolve, reject }
        const holder = holderOf(name)
        if (signal?.aborted) {
          reject(signal.reason)
        } else if (steal && holder) {
          onStolen(holder.tab)
          at(0, holder.tab, () => holder.reject(new DOMException('Stolen', 'AbortError')))
          holders.splice(holders.indexOf(holder), 1)
          grant(claim)
        } else if (holder && mode !== 'shared') {
          waiting.push(claim)
          signal?.addEventListener('abort', () => {
            const place = waiting.indexOf(claim)
            if (place < 0) return
            waiting.splice(place, 1)
            reject(signal.reason)
          })
        } else grant(claim)
      })
    const query = (): Promise<LockManagerSnapshot> =>
      new Promise((resolve) => {
        at(dice.between(0, 3), null, () => {
          const held = holders.map((claim) => ({ name: claim.name, clientId: idOf(claim.tab) }))
          at(dice.between(0, 3), tab, () => resolve({ held }))
        })
      })
    return { request, query } as unknown as LockManager
  }

  const clients: Owner[] = []
  function idOf(tab: Owner): string {
    if (!clients.includes(tab)) clients.push(tab)
    return String(clients.indexOf(tab))
  }

  const channels = new Set<{ tab: Owner; onmessage: ((event: { data: unknown }) => void) | null }>()

  const channelOf = (tab: Owner): typeof BroadcastChannel => {
    class Channel {
      readonly tab = tab
      onmessage: ((event: { data: unknown }) => void) | null = null
      constructor() {
        channels.add(this)
      }
      postMessage(data: unknown): void {
        onPost(data)
        for (const other of channels) {
          if (other === this || dice.chance(faults())) continue
          for (let copies = dice.chance(faults()) ? 2 : 1; copies; copies--)
            at(dice.chance(faults()) ? dice.between(5, 3000) : dice.between(0, 5), other.tab, () => {
              if (channels.has(other)) other.onmessage?.({ data })
            })
        }
      }
      close(): void {
        channels.delete(this)
      }
    }
    return Channel as unknown as typeof BroadcastChannel
  }

  let stored: string | null = null
  let slowUntil = 0

  const storageOf = (tab: Owner): Required<ItemStorage> => {
    // Transactions of one tab keep their order.
    let last = 0
    const transact = <T>(work: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        last = Math.max(last + 0.01, slowUntil, clock.time + dice.between(0.1, dice.chance(0.1) ? 60 : 3))
        at(last - clock.time, tab, () => {
          try {
            const result = work()
            at(dice.between(0.1, 2), tab, () => resolve(result))
          } catch (error) {
            reject(error)
          }
        })
      })
    const write = (next: string): void => {
      const old = stored
      stored = next
      onStored(tab, old, next)
    }
    return {
      getItem: () => transact(() => stored),
      setItem: (_, value) => transact(() => write(value)),
      update: (_, change) =>
        transact(() => {
          const next = change(stored)
          if (next === undefined) return false
          write(next ?? 'null')
          return true
        }),
    }
  }

  return {
    locksOf,
    channelOf,
    storageOf,
    get stored() {
      return stored
    },
    clear: () => (stored = null),
    slowDown: (ms) => (slowUntil = Math.max(slowUntil, clock.time + ms)),
    get slowUntil() {
      return slowUntil
    },
    bury(tab) {
      for (const channel of channels) if (channel.tab === tab) channels.delete(channel)
      for (let place = waiting.length - 1; place >= 0; place--)
        if (waiting[place]!.tab === tab) waiting.splice(place, 1)
      for (const claim of holders.filter((each) => each.tab === tab)) free(claim)
    },
  }
}
