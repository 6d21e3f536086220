// What a `trace` event tells: one type for each thing that happens inside, to be narrowed on `type`. Types only. Never a token:
// tokens are told apart by a number, in the order in which this tab has seen them. URLs are without their query.

import type { Reason } from '../state/record.ts'
import type { Verdict } from '../state/verdict.ts'
import type { RefreshIntent } from './io.ts'

/** Who caused the change: a call in this tab, another tab, or the server, which said that the session is over. */
export type Source = 'this-tab' | 'other-tab' | 'server'

interface OfRequest {
  /** The same in all traces of one request of the app. */
  id: number
}

interface RequestSent extends OfRequest {
  method: string
  url: string
  /** The number of the token that it is sent with; `null`: nobody is signed in. */
  token: number | null
  /** The caller brought an `Authorization` that is no token of the session: it is never renewed. */
  hasOwnAuthorization: boolean
}

export interface Answered {
  /** 0: there is no answer, because of `error`. */
  status: number
  /** The name of the error that fetch rejected with. */
  error?: string
}

/**
 * Why a request waits. `loading`: it is not known yet who is signed in. `expiring`: the token is near expiry. `refused`: the
 * server did not accept the token. `waking`: the stored session is read again after a sleep. `user`: the user has to do something.
 */
export type HoldReason = 'loading' | 'expiring' | 'refused' | 'waking' | 'user'

/** How a talk with the server ended. */
export type ExchangeOutcome =
  /** It brought new credentials; `token` is their number. */
  | { outcome: 'renewed'; token: number | null }
  /** It is done, and it was no refresh: a sign-in, a restore, a sign-out, a side token. */
  | { outcome: 'done'; token: number | null }
  /** The server said no: the session is over, or the user has to do more first (`step-up`). */
  | { outcome: 'refused'; reason: Reason | 'step-up' }
  /** It failed, so it is unknown how the session is. The code and the message of the error. */
  | { outcome: 'failed'; code: string; message: string }
  /** Not needed any more: another tab was quicker, or this tab has signed in or out meanwhile. */
  | { outcome: 'adopted'; token: number | null; source: 'this-tab' | 'other-tab' }
  /** It was not sent, or its answer came too late: it is tried again. */
  | { outcome: 'postponed' }

/** What is told of each type, beside `type` and `at`. */
export interface Traces {
  /** A request of the app goes out for the first time. */
  send: RequestSent
  /** A request of the app goes out again. */
  replay: RequestSent
  /** The answer to a request of the app. */
  response: OfRequest & Answered
  /** A request of the app waits; `waiting`: how many wait for a refresh, with this one. */
  hold: OfRequest & { method: string; url: string; why: HoldReason; waiting: number }
  /** What was decided about an answer: handed back, sent again, or held for a refresh. */
  decide: OfRequest & { status: number; verdict: Verdict }
  /** The caller has got the answer, or an error (its code, or its name). */
  end: OfRequest & Answered
  /** A request to an origin that is none of the session's: it went out without credentials, and the session ignores the answer. */
  foreign: Answered & { method: string; url: string }
  /** A request that the session makes for itself. */
  ask: { method: string; url: string }
  /** The answer to it. `serverTime`: from the `Date` header, epoch ms; `null` if there is none, or CORS hides it. */
  answer: Answered & {
    method: string
    url: string
    contentType: string | null
    serverTime: number | null
  }
  /** A refresh is sent. `attempt`: its number, over all tabs. `token`: of the token that it renews. */
  'refresh-start': {
    attempt: number | null
    reason: RefreshIntent['reason']
    token: number | null
    waiting: number
  }
  /** `ms`: how long it took. */
  'refresh-end': ExchangeOutcome & { attempt: number | null; ms: number; waiting: number }
  /** Any other talk with the server: `restore`, `sign-in`, `sign-out`, `side-token`, or one of an extension. */
  'exchange-start': { operation: string }
  'exchange-end': ExchangeOutcome & { operation: string; ms: number }
  /** Nothing had to be sent, because another tab has done it, or this tab already has something newer. */
  adopt: { operation: string; source: 'this-tab' | 'other-tab' }
  /** Nothing is sent, because too many refreshes failed or did not help lately. */
  'give-up': { operation: string }
  /** Nothing is sent before that time, epoch ms. */
  'back-off': { until: number }
  /** The tab holds other credentials from here on. `canRefresh`: whether there is anything to renew them with. */
  token: { token: number | null; source: Source; canRefresh: boolean; reason: Reason }
  /** A listener of the app threw. */
  'listener-failed': { event: string; error: unknown }
}

/** `at`: epoch ms, by this device's clock. */
export type Trace = { [T in keyof Traces]: { type: T; at: number } & Traces[T] }[keyof Traces]

export type Tell = <T extends keyof Traces>(type: T, detail: Traces[T]) => void
