// Tells of the session's talks with the server: refreshes, and the question who is signed in. A failure that comes again and again
// is told once.

import type { Answered, Trace } from '../seam/trace.ts'
import { createOutage } from './outage.ts'
import { duration, outcomeText, tokenName, withReleased, withWaiting } from './words.ts'

/** What a line is about: `resesh:request` and so on, in `localStorage.debug`. */
export type Topic = 'request' | 'refresh' | 'session'

export type Say = (topic: Topic, sentence: string) => void

type Of<T extends Trace['type']> = Extract<Trace, { type: T }>

export interface Talks {
  /** The refresh that is under way, if there is one. */
  readonly running: string | null
  /** A request was refused: the first one leads to the refresh that is told next. */
  noteRefusal(refused: string): void
  /** To a request that the session makes for itself. */
  tellAnswer(name: string, answer: Answered): void
  onTrace(trace: Trace): void
}

const WHY: { readonly [reason in Of<'refresh-start'>['reason']]: string } = {
  expired: 'because a request needs a newer token',
  ahead: 'shortly before the token expires',
  forced: 'because the app asked for it',
  reload: 'because the app asked for the token and the user',
  switch: 'to switch the organization',
  healing: 'because the last refresh failed',
}

/** Refreshes that the session makes by itself: where they fail again and again, that is told once. */
const BY_ITSELF: readonly string[] = ['expired', 'ahead', 'healing']

export function createTalks(say: Say): Talks {
  /** A refresh is under way. */
  let running: string | null = null
  /** What was refused first since the last refresh. */
  let firstRefusal: string | null = null
  const outage = createOutage()
  /** Lines of the running refresh. They are told only if it does not fail as the last one did; `null`: each is told at once. */
  let lines: string[] | null = null
  /** The pause after the running refresh, in which no other refresh is sent. */
  let pause: Of<'back-off'> | null = null
  let pauseTold = 0
  let isGivingUp = false
  let lastToken: Of<'token'> | null = null

  /** What led to the line that follows. */
  function takeRefusal(): string {
    const text = firstRefusal ? `${firstRefusal}; ` : ''
    firstRefusal = null
    return text
  }

  function tell(sentence: string): void {
    if (lines) lines.push(sentence)
    else say('refresh', sentence)
  }

  function tellRefreshStart({ attempt, reason, token, waiting }: Of<'refresh-start'>): void {
    running = `refresh ${attempt}`
    isGivingUp = false
    pause = null
    lines = outage.isOn && BY_ITSELF.includes(reason) ? [] : null
    const before = takeRefusal()
    const why = before ? '' : ` to renew ${tokenName(token)}, ${WHY[reason]}`
    tell(withWaiting(`${before}${running} started${why}`, waiting))
  }

  function tellRefreshEnd(trace: Of<'refresh-end'>): void {
    running = null
    const { outcome, attempt, ms, waiting } = trace
    const isCured = outcome === 'renewed' || outcome === 'adopted'
    const text = `refresh ${attempt} ${outcomeText(trace)}`
    tellEndOf(
      trace,
      isCured ? withReleased(`${text} in ${duration(ms)}`, waiting) : withWaiting(text, waiting),
      'refresh',
    )
  }

  function tellExchangeEnd(trace: Of<'exchange-end'>): void {
    const { operation } = trace
    const text = `${operation} ${outcomeText(trace)}${foundText(trace)}`
    if (operation === 'restore') tellEndOf(trace, text, 'session')
    else say('session', text)
  }

  /** Of a refresh, or of the question who is signed in: both are tried again until they work. */
  function tellEndOf(trace: Of<'refresh-end' | 'exchange-end'>, text: string, topic: Topic): void {
    const [before, isQuiet] = [lines ?? [], lines !== null]
    lines = null
    const isNews = trace.outcome !== 'failed' || outage.fail(trace.message, trace.at)
    if (!isNews && isQuiet) return
    before.forEach((line) => say('refresh', line))
    say(topic, text)
    if (isNews && pause) tellPause(pause, 'because this one failed')
    pause = null
    if (trace.outcome === 'failed' || trace.outcome === 'postponed') return
    const after = outage.end(trace.at)
    const name = trace.type === 'refresh-end' ? 'refresh' : trace.operation
    if (after && trace.outcome !== 'refused') say(topic, `the ${name} works again ${after}`)
  }

  function notePause(trace: Of<'back-off'>): void {
    if (running) pause = trace
    // The session looks at the same pause several times a second.
    else if (!outage.isOn && Math.abs(trace.until - pauseTold) >= 1_000)
      tellPause(trace, 'because an earlier one failed, or may still be answered')
  }

  function tellPause({ until, at }: Of<'back-off'>, why: string): void {
    pauseTold = until
    say('refresh', `no refresh is sent within the next ${duration(until - at)}, ${why}`)
  }

  function noteToken(trace: Of<'token'>): void {
    const { source, token, at, reason } = trace
    lastToken = trace
    const isElsewhere = source === 'other-tab'
    if (isElsewhere) say('refresh', `${tokenName(token)} came from another tab`)
    if (!isElsewhere && reason !== 'signed-in' && reason !== 'signed-out') return
    const after = outage.end(at)
    if (after && isElsewhere && token !== null) say('refresh', `the refresh works again ${after}`)
  }

  function tellGiveUp({ operation }: Of<'give-up'>): void {
    const before = takeRefusal()
    if (isGivingUp) return
    isGivingUp = true
    say(
      'refresh',
      `${before}no ${operation} was sent, because too many failed or did not help within the last minute; the next one may be sent in a minute`,
    )
  }

  function tellAdopted({ operation, source }: Of<'adopt'>): void {
    const why = source === 'other-tab' ? 'another tab has done it' : ownDeed(lastToken)
    say('refresh', `${takeRefusal()}no ${operation} was needed: ${why}`)
  }

  function onTrace(trace: Trace): void {
    switch (trace.type) {
      case 'refresh-start':
        return tellRefreshStart(trace)
      case 'refresh-end':
        return tellRefreshEnd(trace)
      case 'exchange-start':
        if (trace.operation === 'restore') lines = outage.isOn ? [] : null
        return
      case 'exchange-end':
        return tellExchangeEnd(trace)
      case 'back-off':
        return notePause(trace)
      case 'adopt':
        return tellAdopted(trace)
      case 'give-up':
        return tellGiveUp(trace)
      case 'token':
        return noteToken(trace)
      default:
    }
  }

  return {
    get running() {
      return running
    },
    noteRefusal(refused) {
      // While a refresh runs, the request waits for that one.
      if (!running) firstRefusal ??= refused
    },
    tellAnswer: (name, { status, error }) =>
      tell(`the session's own ${name} ${error ? `got no answer (${error})` : `answered ${status}`}`),
    onTrace,
  }
}

/** Whether the user is signed in, after a restore or a sign-in. */
function foundText(trace: Of<'exchange-end'>): string {
  if (trace.outcome !== 'done' || !/^(restore|sign-in)$/.test(trace.operation)) return ''
  return trace.token === null ? ': nobody is signed in' : `: the user is signed in, with ${tokenName(trace.token)}`
}

/** Why no request was needed: what this tab has done itself. */
function ownDeed(last: Of<'token'> | null): string {
  if (last?.source === 'this-tab' && last.reason === 'signed-in') return 'this tab has signed in meanwhile'
  if (last?.reason === 'signed-out') return 'the user has signed out meanwhile'
  return last && last.token !== null
    ? `this tab has ${tokenName(last.token)} already`
    : 'this tab has the newer state already'
}
