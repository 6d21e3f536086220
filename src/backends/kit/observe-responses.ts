// For a server that hands out tokens on ordinary responses, or says there that the session is over: an extension for
// `Backend.use`.

import { InvalidTokenError } from '../../errors.ts'
import type { Commit, Extension, Kernel, ResponseContext } from '../../seam/extension.ts'
import { responseChange } from '../../state/session-changes.ts'
import { type Credentials, isOlder, isOtherUser, type Json, merge } from '../../state/credentials.ts'
import { parseDate } from '../../state/expiry.ts'
import type { Ending } from '../../state/record.ts'

/** What a response says: newer credentials; `null`, the session is over; `undefined`, nothing. */
export type ReadResponse = (response: Response) => Credentials | null | undefined

/** Takes over what responses say of the session. Older news, and news of another session, change nothing. */
export const observeResponses = (read: ReadResponse): Extension => ({
  name: 'observeResponses',
  setup: (kernel) => ({
    observe(context) {
      const said = read(context.response)
      if (said === undefined) return undefined
      return said ? write(commitOf(said, context, kernel), kernel) : writeEnd(context, kernel)
    },
  }),
})

/** A storage that does not answer is no reason to withhold the response. An answer without a token is told of. */
const write = (commit: Commit<Json> | undefined, kernel: Kernel): Promise<void> | undefined =>
  commit && kernel.write(commit).catch(ignoreTransient)

/** A refusal ends a session that has expired; any other response, one that the user has left. */
async function writeEnd(context: ResponseContext, kernel: Kernel): Promise<void> {
  const isRefusal = context.response.status === 401 || (await isExpired(context, kernel))
  await write(commitOf(null, context, kernel, isRefusal ? 'expired' : 'signed-out'), kernel)
}

async function isExpired(context: ResponseContext, kernel: Kernel): Promise<boolean> {
  try {
    return await kernel.isExpired(context)
  } catch {
    return false // told of where the response is judged
  }
}

function ignoreTransient(error: unknown): void {
  if (error instanceof InvalidTokenError) throw error
}

function commitOf(
  said: Credentials | null,
  { response, sentWith }: ResponseContext,
  { credentials: held, version, hasDecided, now }: Kernel,
  ending: Ending = 'signed-out',
): Commit<Json> | undefined {
  // Answers overtake each other: credentials that were minted before the held ones are no news.
  if (said && held && isOlder(said, held)) return undefined
  // The request was sent before it was known who is signed in, and the user has signed in or out since.
  if (hasDecided && !sentWith.generation) return undefined
  const isSame = !said || !held || !isOtherUser(held, merge(held, said))
  const credentials = said && merge(isSame ? held : null, said)
  const receipt = { at: now(), serverTime: parseDate(response.headers.get('date')), isByServer: true }
  return { change: responseChange(sentWith, version, held, said, credentials, isSame, ending, receipt), credentials }
}
