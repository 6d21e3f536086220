// What must hold of refreshes, of what they write, and of how a session is lost. Numbers as in the fault catalogue.

import { isNewer } from '../../src/state/record.ts'
import type { Call, Oracle, Sent, Tab, Value } from './facts.ts'
import { isRefresh } from './network.ts'

// Between the journal's time and the sending lies a little storage, and between two tabs a little more.
const SLACK = 3000
// What is done with an answer takes a little storage, too.
const WRITTEN = 200

const MINUTE = 60_000
const BUCKET = 5

/** Whether its tab could not see it through: it slept, died, or was robbed of the lock. */
const isBroken = ({ tab, at, settledAt, writableAt }: Sent): boolean =>
  tab.breaks.some((time) => time >= at && time <= Math.max(settledAt, writableAt) + WRITTEN)

/** Whether two tabs may have held the lock at once, which only the fence keeps apart: whoever wakes does not know yet. */
const isBlurred = (one: Sent, other: Sent): boolean =>
  isBroken(other) || one.tab.breaks.some((time) => time >= other.at)

/** Whether nobody can receive its answer any more: its tab is dead, or its call has ended without one. */
const isLost = ({ tab, outcome, minted }: Sent): boolean =>
  tab.life === 'dead' || outcome === 'failed' || outcome === 'aborted' || (outcome === 'answered' && !minted)

/**
 * At most one refresh is in flight over all tabs; one of a tab that sleeps or was robbed may be repeated where that is forgiven,
 * or where nobody can know of it, since what was written down is cleared away; one of a tab that died at any time.
 */
export const I1: Oracle = ({ sent, timeout, replayWindow, now, jumpedAt, clearedAt, fail }) => ({
  sent(one) {
    if (!isRefresh(one)) return
    for (const other of sent) {
      if (other === one || !isRefresh(other) || other.outcome !== 'open' || other.family !== one.family) continue
      if (isLost(other) || now() > other.at + timeout - SLACK || jumpedAt() > other.at) continue
      if (isBlurred(one, other) && (now() < other.at + replayWindow || clearedAt() > other.at)) continue
      fail(`refresh ${one.nth} is sent while ${other.nth} is in flight`)
    }
  },
})

/**
 * A refresh token is sent again only if nobody knows the outcome, and inside the window, after the deadline, or once nobody can
 * receive the answer any more.
 */
export const I2: Oracle = ({ sent, timeout, replayWindow, now, upsetAt, fail }) => ({
  sent(one) {
    if (!isRefresh(one)) return
    // A third tab that does not know yet that it lost the lock may have journalled since: the answer came too late then.
    const isOvertaken = ({ at }: Sent): boolean =>
      now() < at + replayWindow && sent.some(({ tab }) => tab.breaks.some((time) => time >= at - timeout))
    for (const other of sent) {
      if (other === one || !isRefresh(other) || other.refreshToken !== one.refreshToken || upsetAt() > other.at)
        continue
      if (other.outcome === 'answered' && other.status >= 400) continue
      if (
        other.outcome === 'answered' &&
        other.minted &&
        !isBlurred(one, other) &&
        !isOvertaken(other) &&
        other.settledAt < other.at + timeout
      )
        fail(`refresh ${one.nth} repeats the token of ${other.nth}, which was answered`)
      const isEarly = now() < other.at + timeout - SLACK
      if (isEarly && !isLost(other) && now() > other.at + replayWindow)
        fail(`refresh ${one.nth} repeats ${other.nth} before its deadline`)
    }
  },
})

/**
 * Nobody waits for an answer that nobody can receive: a call that needs a refresh gets it before the deadline of the refresh that
 * was lost. Looked at only where nothing else is in the way.
 */
export const I3: Oracle = ({ sent, calls, timeout, now, upsetAt, fail }) => ({
  sent(one) {
    if (!isRefresh(one) || one.tab.throttle) return
    const earlier = sent.filter((other) => other !== one && isRefresh(other) && other.refreshToken === one.refreshToken)
    const lost = earlier.at(-1)
    if (!lost || earlier.length > 1 || lost.tab.life !== 'dead' || upsetAt() > lost.at) return
    const isInTheWay = (other: Sent): boolean =>
      isRefresh(other)
        ? other.status >= 400 && other.settledAt > now() - MINUTE
        : !other.call && other.outcome === 'open'
    const isDisturbed = one.tab.breaks.some((time) => time >= lost.at)
    if (isDisturbed || sent.some((other) => other !== one && other.tab.life !== 'dead' && isInTheWay(other))) return
    const isWaiting = (call: Call): boolean =>
      call.tab === one.tab &&
      !call.kind.startsWith('sign') &&
      call.settledAt === Infinity &&
      call.at < now() - 4000 &&
      !sent.some((other) => other.call === call && (other.outcome === 'open' || other.settledAt > now() - 4000))
    const isAtDeadline = Math.abs(now() - lost.at - timeout) < 1000
    if (isAtDeadline && lost.tab.breaks.at(-1)! < now() - 4000 && calls.some(isWaiting))
      fail(`refresh ${one.nth} waited for the answer to ${lost.nth}, whose tab was dead`)
  },
})

/** Whoever gets the lock looks first whether another has done it: no refresh without a reason that the last one left. */
export const I10: Oracle = ({ sent, calls, life, now, worldTime, upsetAt, clearedAt, access, fail }) => {
  let held: Value['credentials'] = null
  let since = 0
  const isForced = ({ kind, tab, at, settledAt, abortedAt }: Call): boolean =>
    /forced|reload/.test(kind) &&
    // Whoever still waits has a reason, however long the tab stood still. The refresh of those who have left goes on for a while.
    (settledAt === Infinity || (at > since - 60_000 && (abortedAt < Infinity || tab.life !== 'running')))
  return {
    stored(_, __, { credentials }) {
      const isNews = credentials?.accessToken !== held?.accessToken
      held = credentials
      const token = access(held?.accessToken ?? '')
      if (!isNews) return
      // A tab that stood still, or whose storage did, writes down late what it had received in time; so it does with what the app
      // has handed over in the moment that it was minted.
      const handedAt = token && token.mintedAt - (worldTime() - now())
      since = sent.find(({ minted }) => minted && minted === token)?.settledAt ?? handedAt ?? now()
    },
    sent(one) {
      const token = access(held?.accessToken ?? '')
      if (!isRefresh(one) || !token || upsetAt() > since || clearedAt() > since - life || token.family !== one.family)
        return
      const isOld = now() - since > life - Math.min(10_000, life / 4) - Math.min(15_000, life / 4) - SLACK
      const isRefused = sent.some((other) => other.token === token && other.status === 401)
      if (!isOld && !isRefused && !calls.some(isForced)) fail(`refresh ${one.nth} has no reason`)
    },
  }
}

/** Failures are bounded over all tabs: what the server asks for is waited for, and a bucket of attempts runs empty. */
export const I9: Oracle = ({ sent, calls, now, upsetAt, fail }) => ({
  sent(one) {
    if (!isRefresh(one)) return
    const tried = sent.filter((other) => other !== one && isRefresh(other) && other.family === one.family)
    for (const other of tried) {
      const { settledAt, retryAfter } = other
      if (retryAfter && now() < settledAt + retryAfter && !isBroken(other) && upsetAt() < other.at)
        fail(`refresh ${one.nth} does not wait as ${other.nth} was told`)
    }
    const failed = tried.filter((other) => other.at > now() - MINUTE && !other.minted && !isBroken(other))
    // Those that are forced are not counted, and go on for a while after their callers have left.
    const forced = calls.filter(({ kind, at }) => /forced|reload/.test(kind) && at > now() - 3 * MINUTE)
    if (failed.length >= BUCKET && !forced.length && upsetAt() < now() - MINUTE)
      fail(`refresh ${one.nth} follows ${failed.length} that failed within a minute`)
  },
})

/** The version in the store never goes backwards, nor does what a tab sees. */
export const I6: Oracle = ({ access, jumpedAt, clearedAt, fail }) => {
  const order: number[] = []
  const seen = new Map<Tab, { family: number; serial: number }>()
  return {
    stored(_, old, { record, credentials }) {
      if (old && isNewer(old.record.version, record.version)) fail('the version in the store goes back')
      const family = access(credentials?.accessToken ?? '')?.family.id
      if (family && !order.includes(family)) order.push(family)
    },
    changed(tab, { claims }) {
      // A record that is cleared away begins anew at the wall time; one that was set back puts that below what others remember.
      if (!claims || (clearedAt() > 0 && jumpedAt() > 0)) return
      const last = seen.get(tab)
      const isBack =
        last &&
        (last.family === claims.fam ? claims.n < last.serial : order.indexOf(claims.fam) < order.indexOf(last.family))
      if (isBack) fail(`tab ${tab.id} goes back to token ${claims.n}`)
      seen.set(tab, { family: claims.fam, serial: claims.n })
    },
  }
}

/** Only the auth server's no, or the user, ends a session. */
export const I8: Oracle = ({ familyOf, isOver, fail }) => ({
  stored(tab, old, { record }) {
    const family = old?.record.signedIn && familyOf(old.credentials?.refreshToken ?? '')
    if (family && !record.signedIn && record.reason !== 'signed-out' && !isOver(family))
      fail(`tab ${tab.id} ends a session that lives: ${record.reason}`)
  },
})

/** Freshness: what is forced was sent for after the call began, and knows of the edit before it. */
export const I14: Oracle = ({ sent, access, fail }) => ({
  settled({ id, kind, at, view, edition, value, error }) {
    if (error !== null || !value) return
    const token = typeof value === 'string' ? access(value) : undefined
    if (kind === 'forced' && token && token.family.user === view.claims?.sub) {
      if (token.mintedBy === null || sent[token.mintedBy]!.at < at)
        fail(`call ${id} got a token that was asked for before`)
      if (token.edition < edition) fail(`call ${id} got claims of edition ${token.edition}, not ${edition}`)
    }
    const state = value as typeof view
    if (kind === 'reload' && state.claims && state.claims.sub === view.claims?.sub) {
      if (state.claims.v < edition) fail(`reload ${id} got claims of edition ${state.claims.v}, not ${edition}`)
      if (!state.user || state.user.v < edition) fail(`reload ${id} got an old user`)
    }
  },
})

/** A holder that came too late can't commit: what is written is of the last journalled attempt, and of the same session. */
export const I21: Oracle = ({ sent, access, fail }) => {
  const known = new Set<string>()
  return {
    stored(tab, old, { credentials }) {
      const token = access(credentials?.accessToken ?? '')
      if (!token || known.has(credentials!.accessToken)) return
      known.add(credentials!.accessToken)
      const by = token.mintedBy === null ? null : sent[token.mintedBy]!
      if (!by || !old) return // cleared meanwhile: whoever still holds the session begins anew
      if (by.attempt !== old?.record.attempt) fail(`tab ${tab.id} writes what attempt ${by.attempt} brought, too late`)
      if (access(old?.credentials?.accessToken ?? '')?.family !== token.family)
        fail(`tab ${tab.id} writes credentials of another session`)
    },
  }
}

/** A crash at any step leaves the old or the new, never a mix. */
export const I22: Oracle = ({ access, familyOf, fail }) => ({
  stored(_, __, { record, credentials }) {
    if (record.signedIn !== !!credentials) fail('the record and its credentials contradict each other')
    if (credentials && access(credentials.accessToken)?.family !== familyOf(credentials.refreshToken))
      fail('tokens of two sessions are stored')
  },
})

/**
 * A repeat that the server takes for theft is forgivable only where the answer was lost after the server had committed, or
 * where a request came so late that it was overtaken by the one sent after its deadline.
 */
export const I26: Oracle = ({ sent, timeout, now, upsetAt, clearedAt, fail }) => {
  const stored = new Set<string>()
  const lost = (one: Sent): boolean =>
    one.outcome === 'failed' ||
    one.outcome === 'aborted' ||
    isBroken(one) ||
    upsetAt() > one.at ||
    (one.outcome === 'open' ? now() : one.settledAt) > one.at + timeout - SLACK
  return {
    stored(_, __, { credentials }: Value) {
      if (credentials) stored.add(credentials.refreshToken)
    },
    stolen({ current, previous }, refreshToken, nth) {
      if (now() > sent[nth]!.at + timeout - SLACK || isBroken(sent[nth]!)) return
      const spent = sent.find((one) => one.refreshToken === refreshToken && isRefresh(one) && one.minted)
      if (spent && clearedAt() > spent.at) return
      if (previous?.token !== refreshToken) fail('a token of long ago is used again')
      else if (stored.has(current)) fail('a token is used again although its successor is stored')
      else if (!spent || !lost(spent)) fail('a token is used again although its answer was not lost')
    },
  }
}
