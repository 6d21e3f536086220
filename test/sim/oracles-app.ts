// What must hold of the app's requests and calls, of sign-out, and of what others get to see. Numbers as in the fault catalogue.

import type { Call, Oracle, Tab, View } from './facts.ts'
import { API } from './network.ts'
import { CANARY, type Family } from './server.ts'

const TEN_MINUTES = 600_000
// Between the receipt of a token and its storing.
const SLACK = 1000
const BUCKET = 5

/** Every call settles. */
export const I3: Oracle = ({ calls, fail }) => ({
  ended() {
    const open = calls.find(({ tab, settledAt }) => tab.life === 'running' && settledAt === Infinity)
    if (open) fail(`call ${open.id} (${open.kind}) never settles`)
  },
})

/** The SDK never makes the server do a thing twice that is not idempotent. */
export const I4: Oracle = ({ fail }) => {
  const done = new Set<Call>()
  return {
    executed(call) {
      if (call.kind === 'post' && done.has(call)) fail(`call ${call.id} is executed twice`)
      done.add(call)
    },
  }
}

/**
 * After a sign-out nothing of that session is returned, attached, refreshed or stored where it is known. A page that comes
 * back knows at once.
 */
export const I5: Oracle = ({ access, familyOf, now, clearedAt, fail }) => {
  const overAt = new Map<number, number>()
  const dead = new Map<Tab | null, Set<number>>()
  let inStore = 0
  const bury = (place: Tab | null, family: number | undefined): void => {
    if (family) dead.set(place, (dead.get(place) ?? new Set()).add(family))
  }
  const isDead = (place: Tab | null, family: number | undefined): boolean => !!dead.get(place)?.has(family ?? 0)
  return {
    called({ kind, tab, view }) {
      if (kind !== 'sign-out') return
      bury(tab, view.claims?.fam)
      bury(tab, inStore)
    },
    changed(tab, { status, reason }, previous) {
      if (status === 'unauthenticated' && reason === 'signed-out') bury(tab, previous.claims?.fam)
    },
    stored(tab, _, { record, credentials }) {
      const family = familyOf(credentials?.refreshToken ?? '')?.id ?? 0
      if (isDead(null, family)) fail(`tab ${tab.id} stores session ${family} again`)
      if (!record.signedIn && record.reason === 'signed-out') bury(null, inStore)
      if (inStore !== family) overAt.set(inStore, now())
      inStore = family
    },
    cleared() {
      // That a session was over is forgotten with it, but for who has seen it.
      overAt.clear()
      dead.delete(null)
      inStore = 0
    },
    sent({ nth, tab, call, token, family, url }) {
      // What the backend asks for in one conversation, such as the user after the refresh, goes on to its end.
      if (call && isDead(tab, token?.family.id)) fail(`request ${nth} carries a token of a session that was signed out`)
      const { at = -1 } = call ?? {}
      if (token && at >= tab.returnedAt && overAt.get(token.family.id)! < tab.returnedAt)
        fail(`request ${nth} carries a token of a session that was over when the tab came back`)
      if (url.pathname === '/refresh' && isDead(tab, family?.id))
        fail(`refresh ${nth} is for a session that was signed out`)
    },
    settled({ id, tab, value }) {
      if (typeof value === 'string' && isDead(tab, access(value)?.family.id))
        fail(`call ${id} got a token after the sign-out`)
    },
    ended(tabs) {
      if (clearedAt() < 0 && tabs.some((tab) => isDead(tab, inStore)))
        fail(`session ${inStore} was signed out, and is still stored`)
    },
  }
}

/** The server is told of each sign-out that was written down, whoever has signed in since. */
export const I28: Oracle = ({ sent, familyOf, isOver, clearedAt, fail }) => {
  const left = new Set<Family>()
  return {
    stored(_, old, { record }) {
      const isNew = record.signOuts.some(({ id }) => id === old?.record.version.generation)
      const family = familyOf(old?.credentials?.refreshToken ?? '')
      if (isNew && family) left.add(family)
    },
    ended() {
      if (clearedAt() > 0) return
      // What a captive portal answers can't be told from the server's own word.
      const isAnswered = (family: Family): boolean =>
        sent.some((one) => one.url.pathname === '/sign-out' && one.family === family && one.status === 200)
      const forgotten = [...left].find((family) => !isOver(family) && !isAnswered(family))
      if (forgotten) fail(`the server was never told that session ${forgotten.id} was signed out`)
    },
  }
}

/** Credentials go to allowed origins only. */
export const I7: Oracle = ({ fail }) => ({
  sent({ nth, url, authorization }) {
    if (authorization && url.origin !== API) fail(`request ${nth} takes a token to ${url.origin}`)
  },
})

/** At most three sendings. */
export const I9: Oracle = ({ fail }) => {
  const sends = new Map<Call, number>()
  return {
    sent({ call }) {
      if (!call?.kind.match(/get|post|refused/)) return
      const nth = (sends.get(call) ?? 0) + 1
      sends.set(call, nth)
      if (nth > 3) fail(`call ${call.id} is sent ${nth} times`)
    },
  }
}

/**
 * Nobody is served a token that is dead by either clock: `getToken` gives none, and no request sets out with one. A record that
 * other tabs wrote has wall times only, which say nothing once the clock was set back.
 */
export const I27: Oracle = ({ sent, access, life, worldTime, now, setBackAt, fail }) => {
  const receivedAt = new Map<string, number>()
  let charges: readonly number[] = []
  const isDead = (token: string): boolean =>
    setBackAt() < 0 && worldTime() > (receivedAt.get(token) ?? Infinity) + life + SLACK
  return {
    stored(_, __, { record, credentials }) {
      charges = record.charges
      const token = credentials?.accessToken
      // The life of a token that the app handed over may be unknown.
      if (token && record.lifetime !== null && !receivedAt.has(token)) receivedAt.set(token, worldTime())
    },
    settled({ id, kind, value }) {
      if (kind === 'token' && typeof value === 'string' && access(value) && isDead(value))
        fail(`call ${id} got a token that is dead`)
    },
    sent({ nth, tab, call, authorization }) {
      // A replay takes what is there; and once too many refreshes have failed, the server's word is all there is.
      if (!call || call.at < now() || charges.length >= BUCKET) return
      // A login function may wait for it: what is held then would wait for itself.
      if (sent.some((other) => other.tab === tab && other.url.pathname === '/login' && other.outcome === 'open')) return
      if (isDead(authorization?.slice(7) ?? '')) fail(`request ${nth} sets out with a token that is dead`)
    },
  }
}

/** When faults have stopped, a session that lives can be used, and one that does not is given up. */
export const I11: Oracle = ({ familyOf, isOver, calls, life, now, jumpedAt, clearedAt, fail }) => ({
  ended(_, stored) {
    const family = familyOf(stored?.credentials?.refreshToken ?? '')
    // A clock that was set back stretches a cool-down, to ten minutes at most.
    if (!family || (jumpedAt() >= 0 && stored!.record.coolUntil > 0 && now() - jumpedAt() < TEN_MINUTES)) return
    for (const { kind, tab, at, view, value, error } of calls) {
      if (kind !== 'probe' || tab.life !== 'running') continue
      // What made the others know of it, or of its end, is gone.
      if (clearedAt() > 0 && view.claims?.fam !== family.id) continue
      if (family.over || family.expiresAt + life < at)
        fail(`tab ${tab.id} was refused, and session ${family.id} is kept`)
      if (!isOver(family) && value !== 200) fail(`tab ${tab.id} is of no use: ${String(value ?? error)}`)
    }
  },
})

/** A request that was made as one user is never sent as another. */
export const I13: Oracle = ({ fail }) => ({
  sent({ nth, call, token }) {
    const { status, claims } = call?.view ?? {}
    if (status === 'authenticated' && token && token.family.id !== claims?.fam)
      fail(`request ${nth} of session ${claims?.fam} goes out as ${token.family.id}`)
  },
})

/** A session ends once in a tab, and never begins again; in the end all tabs see what the store holds. */
export const I15: Oracle = ({ access, clearedAt, fail }) => {
  const over = new Map<Tab, Set<number>>()
  const seen = new Map<Tab, View>()
  return {
    changed(tab, view, previous) {
      if (previous !== (seen.get(tab) ?? previous)) fail(`tab ${tab.id} skips a state`)
      seen.set(tab, view)
      if (view.status === 'loading') fail(`tab ${tab.id} is loading again`)
      const ended = over.get(tab) ?? new Set()
      over.set(tab, ended)
      if (view.claims && ended.has(view.claims.fam)) fail(`tab ${tab.id} sees session ${view.claims.fam} again`)
      if (previous.claims && previous.claims.fam !== view.claims?.fam) ended.add(previous.claims.fam)
    },
    ended(tabs, stored) {
      if (clearedAt() > 0) return // how a session ended is forgotten with it, and tabs may count up to the same version
      const family = access(stored?.credentials?.accessToken ?? '')?.family.id
      for (const tab of tabs) {
        const { status, claims } = tab.view()
        if (claims?.fam !== family || (status === 'authenticated') !== !!family)
          fail(`tab ${tab.id} sees ${status} ${claims?.fam}, stored is ${family}`)
      }
    },
  }
}

/** An abort frees its caller at once, with the reason, and nothing is sent for it any more. */
export const I16: Oracle = ({ now, fail }) => ({
  sent({ nth, call }) {
    if (call && call.abortedAt < Infinity) fail(`request ${nth} is sent after call ${call.id} was aborted`)
  },
  aborted({ id, abortedAt, settledAt, error, abort }) {
    if (settledAt === Infinity) fail(`call ${id} was aborted at ${abortedAt}, and still waits at ${now()}`)
    else if (settledAt >= abortedAt && error !== abort!.signal.reason)
      fail(`call ${id} got another reason: ${String(error)}`)
  },
})

/** A replay is the same request. */
export const I18: Oracle = ({ fail }) => {
  const first = new Map<Call, string>()
  return {
    sent({ nth, call, method, url, body }) {
      if (!call) return
      const same = `${method} ${url.href} ${body}`
      if ((first.get(call) ?? same) !== same) fail(`request ${nth} differs from the one it replays`)
      first.set(call, same)
    },
  }
}

/** No token in messages between tabs, events or errors. */
export const I19: Oracle = ({ fail }) => ({
  posted(message) {
    if (JSON.stringify(message)?.includes(CANARY)) fail('a token is posted to other tabs')
  },
  told(text) {
    if (text.includes(CANARY)) fail(`a token is told: ${text}`)
  },
})

/** Nothing is rejected without anybody knowing. */
export const I23: Oracle = ({ fail }) => ({
  rejected: (error) => fail(`unhandled: ${String((error as Error)?.stack ?? error)}`),
})
