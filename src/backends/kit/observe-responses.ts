// For a server that hands out tokens on ordinary responses, or says there that the session is over: an extension for
// `Backend.use`.

import { InvalidTokenError } from '../../errors.ts'
import type { Commit, Extension, Kernel, ResponseContext } from '../../seam/extension.ts'
import { responseChange } from '../../state/session-changes.ts'
import { type Credentials, isOlder, isOtherUser, merge } from '../../state/credentials.ts'
import { parseDate } from '../../state/expiry.ts'

/** What a response says: newer credentials; `null`, the session is over; `undefined`, nothing. */
export type ReadResponse = (response: Response) => Credentials | null | undefined

/** Takes over what responses say of the session. Older news, and news of another session, change nothing. */
export const observeResponses = (read: ReadResponse): Extension => ({
  name: 'observeResponses',
  setup: (kernel) => ({
    observe(context) {
      const said = read(context.response)
      const commit = said === undefined ? undefined : commitOf(said, context, kernel)
      // A storage that does not answer is no reason to withhold the response. An answer without a token is told of.
      return commit && kernel.write(commit).catch(ignoreTransient)
    },
  }),
})

function ignoreTransient(error: unknown): void {
  if (error instanceof InvalidTokenError) throw error
}

function commitOf(
  said: Credentials | null,
  { response, sentWith }: ResponseContext,
  { credentials: held, version, hasDecided, now }: Kernel,
): Commit<Record<string, unknown>> | undefined {
  // Answers overtake each other: credentials that were minted before the held ones are no news.
  if (said && held && isOlder(said, held)) return undefined
  // The request was sent before it was known who is signed in, and the user has signed in or out since.
  if (hasDecided && !sentWith.generation) return undefined
  const isSame = !said || !held || !isOtherUser(held, merge(held, said))
  const credentials = said && merge(isSame ? held : null, said)
  const ending = response.status === 401 ? 'expired' : 'signed-out'
  const receipt = { at: now(), serverTime: parseDate(response.headers.get('date')), isByServer: true }
  return { change: responseChange(sentWith, version, held, said, credentials, isSame, ending, receipt), credentials }
}
