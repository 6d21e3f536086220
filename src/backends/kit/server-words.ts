// What a server says about a failure, as a part of an error's message.

import { RefreshFailedError } from '../../errors.ts'
import type { Json } from '../../state/credentials.ts'

const NAMES = ['code', 'error', 'long_message', 'error_description', 'message']
const MAX_LENGTH = 200
// As long as that and with a digit in it, a word may be a token.
const LONG_WORD = /[\w.~+/=%-]{16,}/g

/** The words as they may be shown: short, on one line, without anything that may be a token. */
const clean = (text: string): string =>
  text
    .trim()
    .replace(/\s+/g, ' ')
    .replace(/\.$/, '') // the session goes on with a sentence of its own
    .replace(LONG_WORD, (word) => (/\d/.test(word) ? '…' : word))
    .slice(0, MAX_LENGTH)

/** `: ` and the server's words; an empty text where it says nothing that is known. */
export function wordsOf(json: Json | null): string {
  const { errors } = json ?? {}
  const said = ((Array.isArray(errors) ? errors[0] : json) ?? {}) as Json
  const words = NAMES.map((name) => said[name]).filter((each) => typeof each === 'string' && each !== '')
  return words.length > 0 ? `: ${[...new Set(words as string[])].map(clean).join(', ')}` : ''
}

/**
 * For an answer that refuses, or fails inside a 200: the server has spoken, so that nothing was used up.
 * @param json What it says.
 */
export const refusalOf = (response: Response, json: Json | null): RefreshFailedError =>
  new RefreshFailedError(`answered ${response.status}${wordsOf(json)}`, { refusal: response, spent: false })
