// For a server that hands out tokens on ordinary responses, or says there that the session is over: an extension for
// `Backend.use`.

import { InvalidTokenError } from '../../errors.ts'
import type { Commit, Extension, Kernel, ResponseContext } from '../../seam/extension.ts'
import type { Credentials, Json } from '../../state/credentials.ts'
import { parseDate } from '../../state/expiry.ts'
import { commitOf } from './news.ts'

/** What a response says: newer credentials; `null`, the session is over; `undefined`, nothing. */
export type ReadResponse = (response: Response) => Credentials | null | undefined

/** Takes over what responses say of the session. Older news, and news of another session, change nothing. */
export const observeResponses = (read: ReadResponse): Extension => ({
  name: 'observeResponses',
  setup: (kernel) => ({
    observe(context) {
      const said = read(context.response)
      const commit = said === undefined ? undefined : commitOfResponse(said, context, kernel)
      // A storage that does not answer is no reason to withhold the response. An answer without a token is told of.
      return commit && kernel.write(commit).catch(ignoreTransient)
    },
  }),
})

function ignoreTransient(error: unknown): void {
  if (error instanceof InvalidTokenError) throw error
}

function commitOfResponse(
  said: Credentials | null,
  { response, sentWith }: ResponseContext,
  kernel: Kernel,
): Commit<Json> | undefined {
  const ending = response.status === 401 ? 'expired' : 'signed-out'
  const receipt = { at: kernel.now(), serverTime: parseDate(response.headers.get('date')), isByServer: true }
  return commitOf({ said, of: sentWith, ending, receipt }, kernel)
}
