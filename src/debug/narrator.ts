// Puts traces into plain sentences, one for each thing that a reader wants to know; many traces make no line of their own.

import type { Trace } from '../seam/trace.ts'
import { duration, outcomeText, placeName, releasedText, tokenName, waitingText } from './words.ts'

/** What a line is about: `resesh:request` and so on, in `localStorage.debug`. */
export type Topic = 'request' | 'refresh' | 'session'

export type Say = (topic: Topic, sentence: string) => void

type Of<T extends Trace['type']> = Extract<Trace, { type: T }>

interface Request {
  readonly name: string
  token: number | null
  readonly since: number
  sends: number
  hasOwnAuthorization: boolean
}

const WHY: { readonly [reason in Of<'refresh-start'>['reason']]: string } = {
  expired: 'since a request needs a newer token',
  ahead: 'shortly before the token expires',
  forced: 'since the app asked for it',
  reload: 'since the app asked for the user as well',
  switch: 'to switch the organization',
  healing: 'since the last one failed',
}

/** @param page The origin of the page, which is left out of URLs. */
export function createNarrator(say: Say, page: string | undefined): (trace: Trace) => void {
  const requests = new Map<number, Request>()
  /** A refresh is under way. */
  let running: string | null = null
  /** What was refused first since the last refresh. */
  let firstRefusal: string | null = null

  const nameOf = ({ method, url }: { method: string; url: string }): string => `${method} ${placeName(url, page)}`

  function noteRequest(trace: Of<'send' | 'replay' | 'hold'>): Request {
    const known = requests.get(trace.id)
    if (known) return known
    const fresh = { name: nameOf(trace), token: null, since: trace.at, sends: 0, hasOwnAuthorization: false }
    requests.set(trace.id, fresh)
    return fresh
  }

  function noteSent(trace: Of<'send' | 'replay'>): void {
    const { token, hasOwnAuthorization } = trace
    const request = noteRequest(trace)
    Object.assign(request, { token, hasOwnAuthorization, sends: request.sends + 1 })
  }

  const sentWith = ({ token, hasOwnAuthorization }: Request): string =>
    hasOwnAuthorization ? 'its own Authorization header' : tokenName(token)

  function tellHeld(trace: Of<'hold'>): void {
    const request = noteRequest(trace)
    const { name } = request
    const others = waitingText(trace.waiting)
    switch (trace.why) {
      case 'refused':
        if (running) say('request', `${refusal(request, 401)} and waits for ${running}${others}`)
        return
      case 'loading':
        return say('request', `${name} waits until it is known who is signed in${others}`)
      case 'expiring':
        return say('request', `${name} waits for a refresh, since the token is near its expiry${others}`)
      case 'waking':
        return say('request', `${name} waits until the stored session was read again`)
      case 'user':
        return say('request', `${name} waits for the user`)
    }
  }

  const refusal = (request: Request, status: number): string =>
    `${request.name} was refused (${status}) with ${sentWith(request)}`

  function tellDecided({ id, status, verdict }: Of<'decide'>): void {
    const request = requests.get(id)
    if (!request) return
    const refused = refusal(request, status)
    switch (verdict) {
      case 'refresh':
        firstRefusal ??= refused
        return
      case 'replay':
        return say('request', `${refused}; sent again with newer credentials`)
      case 'refused-route':
        return say('request', `${refused}, which a refresh has just brought: handed back, since no refresh helps here`)
      case 'refresh-behind':
        return say(
          'request',
          `${refused}: handed back, since it may not be sent again; a refresh runs for later requests`,
        )
      case 'session-over':
        return say('request', `${refused}, and the session is over`)
      case 'deliver':
      case 'served':
    }
  }

  function tellEnd({ id, at, status, error }: Of<'end'>): void {
    const request = requests.get(id)
    requests.delete(id)
    if (!request) return
    const { name, sends } = request
    const took = `in ${duration(at - request.since)}`
    if (error) return say('request', `${name} failed (${error}) ${took}`)
    const again = sends > 1 ? `, sent ${sends} times` : ''
    say('request', `${name} answered ${status} to ${sentWith(request)} ${took}${again}`)
  }

  /** What led to the line that follows. */
  function takeRefusal(): string {
    const text = firstRefusal ? `${firstRefusal}; ` : ''
    firstRefusal = null
    return text
  }

  function tellRefreshStart({ attempt, reason, token, waiting }: Of<'refresh-start'>): void {
    running = `refresh ${attempt}`
    const before = takeRefusal()
    const why = before ? '' : `, ${WHY[reason]}, of ${tokenName(token)}`
    say('refresh', `${before}${running} started${why}${waitingText(waiting)}`)
  }

  function tellRefreshEnd(trace: Of<'refresh-end'>): void {
    running = null
    const isCured = trace.outcome === 'renewed' || trace.outcome === 'adopted'
    const took = isCured ? ` in ${duration(trace.ms)}` : ''
    const others = isCured ? releasedText(trace.waiting) : waitingText(trace.waiting)
    say('refresh', `refresh ${trace.attempt} ${outcomeText(trace)}${took}${others}`)
  }

  return (trace) => {
    switch (trace.type) {
      case 'send':
      case 'replay':
        return noteSent(trace)
      case 'hold':
        return tellHeld(trace)
      case 'decide':
        return tellDecided(trace)
      case 'end':
        return tellEnd(trace)
      case 'refresh-start':
        return tellRefreshStart(trace)
      case 'refresh-end':
        return tellRefreshEnd(trace)
      case 'adopt':
        return say('refresh', `${takeRefusal()}no ${trace.operation} was needed: another tab has done it`)
      case 'give-up':
        return say(
          'refresh',
          `${takeRefusal()}no ${trace.operation} was sent, since too many failed or did not help within the last minute`,
        )
      default:
        return tellRest(trace, say, nameOf)
    }
  }
}

/** What needs nothing to be remembered. */
function tellRest(trace: Trace, say: Say, nameOf: (request: { method: string; url: string }) => string): void {
  switch (trace.type) {
    case 'answer':
      return say(
        'refresh',
        `the session's own ${nameOf(trace)} ${trace.error ? `failed (${trace.error})` : `answered ${trace.status}`}`,
      )
    case 'exchange-end':
      return say('session', `${trace.operation} ${outcomeText(trace)}`)
    case 'back-off':
      return say('refresh', `back-off: no refresh within the next ${duration(trace.until - trace.at)}`)
    case 'token':
      return trace.source === 'other-tab'
        ? say('refresh', `${tokenName(trace.token)} came from another tab`)
        : undefined
    case 'foreign':
      return say(
        'request',
        `${nameOf(trace)} went out without the session, since its origin is not listed in origins (${trace.error ?? trace.status})`,
      )
    case 'listener-failed':
      return say('session', `a listener of '${trace.event}' threw: the other listeners were called`)
    default:
  }
}
