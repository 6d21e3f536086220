// What is almost surely a mistake of the app or of its server: each is told once, with what to do. Nothing here changes how the
// session works. Traces and events come in, warnings go out.

import { sentenceOf } from '../errors.ts'
import type { Trace } from '../seam/trace.ts'
import type { Events } from '../session/events.ts'
import type { State } from '../state/view.ts'
import type { About } from './inside.ts'
import { createReach, originOf, type Warn } from './reach.ts'
import { placeName } from './words.ts'

export type { Warn }

type Of<T extends Trace['type']> = Extract<Trace, { type: T }>

export interface Mistakes {
  /** Looks at the page as it is, before anything happens. */
  begin(isSecureContext: boolean | undefined): void
  onTrace(trace: Trace): void
  onChange(change: Events['change']): void
}

const HOUR_MS = 3_600_000

const NO_ROUTE = [404, 405, 410]
const isHtml = ({ contentType }: Of<'answer'>): boolean => /^\s*text\/html\b/i.test(contentType ?? '')
const quoted = (origins: readonly string[]): string => origins.map((each) => `'${each}'`).join(', ')

export function createMistakes(about: About, current: () => State, isOffline: () => boolean, warn: Warn): Mistakes {
  const { page, backend, origins } = about
  /** Requests of the app under way, as they were last sent. */
  const sent = new Map<number, Of<'send' | 'replay'>>()
  let wasSignedIn = current().status === 'authenticated'
  /** The last answer to a request of the session's own, since a talk with the server began. */
  let lastAnswer: Of<'answer'> | null = null
  let lastAt = 0
  let [hasSignedInHere, hasRenewed] = [false, false]

  const nameOf = ({ method, url }: { method: string; url: string }): string => `${method} ${placeName(url, page)}`
  const reach = createReach(page, isOffline, nameOf, warn)

  function lookAtAnswer(answer: Of<'answer'>): void {
    const { status } = answer
    const name = nameOf(answer)
    // bearer() asks for the user right after the refresh.
    const isUserRoute = backend === 'bearer' && lastAnswer?.status === 200 && answer.method === 'GET'
    lastAnswer = answer
    reach.lookAtOwn(answer)
    lookAtClock(answer)
    if (NO_ROUTE.includes(status))
      warn(
        `route ${name}`,
        isUserRoute
          ? `${name} answered ${status}: there is no such route for the user, so reload() fails, though the tokens are renewed. Correct the option userUrl of bearer(), or leave it out.`
          : `${name} answered ${status}${isHtml(answer) ? ' with a web page' : ''}: there is no such route at the server. Check the URLs that you gave the backend ${backend}, such as refreshUrl.`,
      )
    else if (isHtml(answer) && status < 500)
      warn(
        `html ${name}`,
        `${name} answered with a web page (${status}, text/html), so something other than your API answers there: a dev server, a router that sends every path to index.html, or a login page. Pass that path on to your API (in Vite: server.proxy), or give the backend ${backend} the whole URL of your API.`,
      )
  }

  function lookAtClock({ serverTime, at, ...asked }: Of<'answer'>): void {
    if (serverTime === null || Math.abs(at - serverTime) < HOUR_MS) return
    warnOfClock(at - serverTime, `the Date of the answer to ${nameOf(asked)}`)
  }

  function warnOfClock(ms: number, by: string): void {
    const off = `${Math.round(Math.abs(ms) / HOUR_MS)} hours ${ms > 0 ? 'ahead of' : 'behind'}`
    warn(
      'clock',
      `The clock of this device is ${off} the server's, according to ${by}. The session still works, because it counts the life of a token from when the token came; code that compares Date.now() with exp or expiresAt does not. Set the clock of the device, or of the server.`,
    )
  }

  function lookAtForeign(asked: Of<'foreign'>): void {
    reach.look(asked)
    if (asked.status !== 401) return
    const origin = originOf(asked.url)
    const listed = [...new Set([...origins, origin])]
    warn(
      `origin ${origin}`,
      `${nameOf(asked)} answered 401: it went out without the session's credentials, because ${origin} is not listed in origins. If that API is yours: createSession({ origins: [${quoted(listed)}] }).`,
    )
  }

  function lookAtResponse({ id, status, error, at }: Of<'response'>): void {
    const request = sent.get(id)
    if (request) reach.look({ ...request, status, at, ...(error !== undefined && { error }) })
  }

  function lookAtEnd({ id, status }: Of<'end'>): void {
    const request = sent.get(id)
    sent.delete(id)
    if (!request || status !== 401) return
    const name = nameOf(request)
    if (request.hasOwnAuthorization)
      warn(
        `own ${name}`,
        `${name} was refused (401) with an Authorization header of its own. That header holds no token of the session, so the session never renews it. Leave the header out: session.fetch sets it. If you need it, take the token from await session.getToken() right before each request.`,
      )
    else if (request.token === null && !wasSignedIn && current().status === 'unauthenticated')
      warn(
        'before-sign-in',
        `${name} was sent before anybody had signed in, and was refused (401). First await session.ready(), and send the request once session.current.status is 'authenticated'; pass the answer of your login to session.signIn(…).`,
      )
  }

  function lookAtFailure(end: Of<'refresh-end' | 'exchange-end'>): void {
    if (end.outcome !== 'failed') return
    const { message } = end
    if (/Access-Control-Expose-Headers/.test(message))
      warn(
        'exposed-header',
        `${sentenceOf(message)} Of another origin, a script can read only the headers that the server lists. Have the server send, for example, Access-Control-Expose-Headers: ${EXPOSED[backend] ?? 'authorization'}.`,
      )
    else if (/the answer has (no|an empty) "/.test(message) && !(lastAnswer && isHtml(lastAnswer)))
      warn(
        'token-name',
        `${sentenceOf(message)} Either the token has another name there, or the answer has no token.${NAME_CURE}`,
      )
  }

  /** Sessions of one key share lock, channel and record, as two tabs do. */
  function lookForSecond(): void {
    if (about.hasTwin())
      warn(
        'two-sessions',
        `Two sessions of the name '${about.name}' for the same server live in this page: they share what is stored, so a sign-in or sign-out in one of them changes the other. Call createSession once, in a module that others import; or give the second session a name of its own: createSession({ name: 'second' }). If you no longer need a session, call its dispose().`,
      )
  }

  /** Right after the sign-in nobody has used the refresh token yet: if the server refuses it, the app probably sends it in the wrong way. */
  function lookAtFirstRefresh({ outcome }: Of<'refresh-end'>): void {
    hasRenewed ||= outcome === 'renewed'
    if (outcome !== 'refused' || !hasSignedInHere || hasRenewed || !lastAnswer) return
    warn(
      'first-refresh',
      `The first refresh after the sign-in was refused: ${nameOf(lastAnswer)} answered ${lastAnswer.status}. Check in which field (refreshTokenName) and in which place (refreshTokenIn) the server wants the refresh token. The backend ${backend} takes that answer as the end of the session; the option isRefused changes that.`,
    )
  }

  function lookAtToken({ token, canRefresh }: Of<'token'>): void {
    if (token === null) return
    wasSignedIn = true
    if (!canRefresh) warnOfNoRefreshToken()
    // The state is told right after the trace.
    void Promise.resolve().then(lookAtExpiry)
  }

  function warnOfNoRefreshToken(): void {
    warn(
      'no-refresh-token',
      `The session has no refresh token: when the access token expires, the user is signed out. Have the login answer with one (OAuth: the scope offline_access), and give that answer to session.signIn(). If the answer has it under another name: bearer({ answer: { refreshToken: 'data.renew' } }). If the server keeps it in an httpOnly cookie: bearer({ refreshTokenIn: 'cookie' }), or the backend cookie().`,
    )
  }

  /** The token says when it expires, but by the server's clock, which nobody knows. */
  function lookAtExpiry(): void {
    const { claims, expiresAt } = current()
    const isHidden = lastAnswer && page && originOf(lastAnswer.url) !== page && lastAnswer.serverTime === null
    if (!isHidden || expiresAt !== null || typeof claims?.['exp'] !== 'number') return
    warn(
      'exposed-date',
      `It is unknown when the token expires, so it can't be renewed before that: the answer to ${nameOf(lastAnswer!)} has no expires_in, the token has no iat, and CORS hides the Date header. Have the server send expires_in, or Access-Control-Expose-Headers: Date.`,
    )
  }

  return {
    begin(isSecureContext) {
      if (isSecureContext === false)
        warn(
          'insecure-context',
          'This page is no secure context (plain http, and not localhost): browsers have no crypto.subtle and no Web Locks there. The session lives in the memory of this tab, is gone after a reload, and each tab refreshes for itself. Serve the page over https.',
        )
      lookForSecond()
      if (wasSignedIn && !about.store.canRefresh) warnOfNoRefreshToken()
    },
    onTrace(trace) {
      lookForSecond()
      lastAt = trace.at
      switch (trace.type) {
        case 'send':
        case 'replay':
          return void sent.set(trace.id, trace)
        case 'response':
          return lookAtResponse(trace)
        case 'end':
          return lookAtEnd(trace)
        case 'foreign':
          return lookAtForeign(trace)
        case 'answer':
          return lookAtAnswer(trace)
        case 'refresh-start':
        case 'exchange-start':
          lastAnswer = null
          return
        case 'refresh-end':
          lookAtFirstRefresh(trace)
          return lookAtFailure(trace)
        case 'exchange-end':
          return lookAtFailure(trace)
        case 'token':
          return lookAtToken(trace)
        default:
      }
    },
    onChange({ current: { claims }, changed, source, reason }) {
      if (source === 'this-tab' && reason === 'signed-in') [hasSignedInHere, hasRenewed] = [true, false]
      // Claims that are equal but for their times stay the same object: only new ones have a time that means something.
      const iat = claims?.['iat']
      if (source !== 'this-tab' || !changed.includes('claims') || typeof iat !== 'number') return
      const ahead = lastAt - iat * 1000
      // A token that the app hands over may have been issued long ago.
      const isOff = ahead < -HOUR_MS || (ahead > HOUR_MS && reason !== 'signed-in' && reason !== 'restored')
      if (isOff) warnOfClock(ahead, `the iat of a new token`)
    },
  }
}

const NAME_CURE =
  " With the backend bearer, say where it is: bearer({ refreshUrl, answer: { accessToken: 'data.token' } }). Or have the server use the usual name."

/** What each server sends its tokens in. */
const EXPOSED: { readonly [backend: string]: string | undefined } = {
  supertokens: 'front-token, st-access-token, st-refresh-token, anti-csrf',
  clerk: 'authorization',
}
