// Puts traces into plain sentences, one for each thing that a reader wants to know; many traces make no line of their own.

import type { Trace } from '../seam/trace.ts'
import { createTalks, type Say } from './talks.ts'
import { duration, placeName, tokenName, WAITS, withWaiting } from './words.ts'

type Of<T extends Trace['type']> = Extract<Trace, { type: T }>

interface Request {
  readonly name: string
  token: number | null
  readonly since: number
  sends: number
  hasOwnAuthorization: boolean
  /** That it waits was told. */
  isWaitTold: boolean
}

/** @param page The origin of the page, which is left out of URLs. */
export function createNarrator(say: Say, page: string | undefined): (trace: Trace) => void {
  const requests = new Map<number, Request>()
  const talks = createTalks(say)

  const nameOf = ({ method, url }: { method: string; url: string }): string => `${method} ${placeName(url, page)}`

  function noteRequest(trace: Of<'send' | 'replay' | 'hold'>): Request {
    const known = requests.get(trace.id)
    if (known) return known
    const fresh = {
      name: nameOf(trace),
      token: null,
      since: trace.at,
      sends: 0,
      hasOwnAuthorization: false,
      isWaitTold: false,
    }
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
    const { why, waiting } = trace
    // A request that waits through more than one refresh waits once.
    if (request.isWaitTold || (why === 'refused' && !talks.running)) return
    request.isWaitTold = true
    const text =
      why === 'refused'
        ? `${refusal(request, 401)} and waits for ${talks.running}`
        : `${request.name} waits ${WAITS[why]}`
    say('request', withWaiting(text, waiting))
  }

  const refusal = (request: Request, status: number): string =>
    `${request.name} was refused (${status}) with ${sentWith(request)}`

  function tellDecided({ id, status, verdict }: Of<'decide'>): void {
    const request = requests.get(id)
    if (!request) return
    const refused = refusal(request, status)
    switch (verdict) {
      case 'refresh':
        return talks.noteRefusal(refused)
      case 'replay':
        return say('request', `${refused}; sent again with newer credentials`)
      case 'refused-route':
        return say(
          'request',
          `${refused}, which a refresh has just brought: handed back to the caller, because another refresh would not help`,
        )
      case 'refresh-behind':
        return say(
          'request',
          `${refused}: handed back to the caller, because the request may not be sent again; a refresh runs for later requests`,
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
      case 'answer':
        return talks.tellAnswer(nameOf(trace), trace)
      default:
        talks.onTrace(trace)
        tellRest(trace, say, nameOf)
    }
  }
}

/** What needs nothing to be remembered. */
function tellRest(trace: Trace, say: Say, nameOf: (request: { method: string; url: string }) => string): void {
  switch (trace.type) {
    case 'foreign':
      return say(
        'request',
        `${nameOf(trace)} went out without the session's credentials, because its origin is not listed in origins; it ${trace.error ? `failed (${trace.error})` : `answered ${trace.status}`}`,
      )
    case 'listener-failed':
      return say(
        'session',
        `a listener of '${trace.event}' threw ${nameOfThrown(trace.error)}; the other listeners were called`,
      )
    default:
  }
}

/** Never its message, which may be anybody's. */
const nameOfThrown = (error: unknown): string => (error instanceof Error ? error.name : typeof error)
