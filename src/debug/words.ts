// How a line names requests, tokens and times. A line never holds a token, even if a message of the app or of a server does.

import type { ExchangeOutcome, HoldReason } from '../seam/trace.ts'

/** A request of the page's own origin by its path, others by the whole URL. */
export const placeName = (url: string, page: string | undefined): string =>
  page && url.startsWith(`${page}/`) ? url.slice(page.length) : url

export const tokenName = (token: number | null): string => (token === null ? 'no token' : `token #${token}`)

export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 90_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 60_000)} min`
}

/** `1 request`, `2 requests`. */
export const counted = (count: number, what: string): string =>
  count === 1 ? `1 ${what}` : `${count} ${what.replace(/y$/, 'ie')}s`

/** A text, and how many requests wait; nothing more where none does. */
export const withWaiting = (text: string, count: number): string =>
  count === 0 ? text : join(text, `${counted(count, 'request')} ${count === 1 ? 'waits' : 'wait'}`)

/** A text, and how many requests go on now. */
export const withReleased = (text: string, count: number): string =>
  count === 0 ? text : join(text, `${counted(count, 'request')} ${count === 1 ? 'goes' : 'go'} on`)

/** After whole sentences comes another sentence; after a part of a sentence, another part. */
const join = (text: string, more: string): string => (/[.?!]$/.test(text) ? `${text} ${more}.` : `${text}; ${more}`)

/** What a token looks like: a JWT, or what stands behind `Bearer` or `DPoP`. */
const TOKENS = /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*|(?<=\b(?:Bearer|DPoP) )[\w.~+/-]{8,}=*/g

/** A message of the app, or of a server, may hold a token. */
export const withoutTokens = (text: string): string => text.replace(TOKENS, '[token]')

/** Why a request waits. */
export const WAITS: { readonly [why in HoldReason]: string } = {
  loading: 'until it is known who is signed in',
  expiring: 'for a refresh, because the token expires soon',
  refused: 'for a refresh, because the server refused the token',
  waking: 'until the stored session has been read again',
  user: 'until the user has signed in again, or has confirmed',
}

/** How a talk with the server ended, as the rest of a sentence. */
export function outcomeText(end: ExchangeOutcome): string {
  switch (end.outcome) {
    case 'renewed':
      return `brought ${tokenName(end.token)}`
    case 'done':
      return 'is done'
    case 'adopted':
      return `was not needed any more: ${adoptedText(end)}`
    case 'postponed':
      return 'was not sent, or its answer came too late: it is tried again'
    case 'refused':
      return end.reason === 'step-up'
        ? 'was refused: the user has to do something first (step-up)'
        : `was refused: the session is over (${end.reason})`
    case 'failed':
      return `failed (${end.code}): ${end.message}`
  }
}

function adoptedText({ token, source }: Extract<ExchangeOutcome, { outcome: 'adopted' }>): string {
  const isHere = source === 'this-tab'
  if (token === null) return `the session has ended meanwhile, in ${isHere ? 'this' : 'another'} tab`
  return isHere ? `this tab has got ${tokenName(token)} meanwhile` : `another tab has brought ${tokenName(token)}`
}
