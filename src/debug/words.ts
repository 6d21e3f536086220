// How things are called in a line: requests, tokens, times. A line never holds a token, whatever a message of others said.

import type { ExchangeOutcome } from '../seam/trace.ts'

/** A request of the page's own origin by its path, others by the whole URL. */
export const placeName = (url: string, page: string | undefined): string =>
  page && url.startsWith(`${page}/`) ? url.slice(page.length) : url

export const tokenName = (token: number | null): string => (token === null ? 'no token' : `token #${token}`)

export const duration = (ms: number): string => {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 90_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 60_000)} min`
}

/** `; 2 requests wait`; nothing for none. */
export const waitingText = (count: number): string => countText(count, 'request waits', 'requests wait')

/** The same for those that go on now. */
export const releasedText = (count: number): string => countText(count, 'request goes on', 'requests go on')

function countText(count: number, one: string, many: string): string {
  if (count === 0) return ''
  return count === 1 ? `; 1 ${one}` : `; ${count} ${many}`
}

/** What a token looks like: a JWT, or what stands behind `Bearer` or `DPoP`. */
const TOKENS = /\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)*|(?<=\b(?:Bearer|DPoP) )[\w.~+/-]{8,}=*/g

/** A message of the app, or of a server, may hold what it must not. */
export const withoutTokens = (text: string): string => text.replace(TOKENS, '[token]')

/** How a talk with the server ended, as the rest of a sentence. */
export function outcomeText(end: ExchangeOutcome): string {
  switch (end.outcome) {
    case 'renewed':
      return `brought ${tokenName(end.token)}`
    case 'done':
      return 'is done'
    case 'adopted':
      return `was not needed: ${tokenName(end.token)} of another tab is used`
    case 'postponed':
      return 'was not sent, or came too late: it is tried again'
    case 'refused':
      return end.reason === 'step-up'
        ? 'was refused: the server asks the user for more first'
        : `was refused: the session is over (${end.reason})`
    case 'failed':
      return `failed (${end.code}): ${end.message}`
  }
}
