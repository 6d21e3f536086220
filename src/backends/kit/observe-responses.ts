// For a server that hands out tokens on ordinary responses, or says there that the session is over: an extension for
// `Backend.use`.

import { InvalidTokenError } from '../../errors.ts'
import type { Commit, Extension, Kernel, ResponseContext } from '../../seam/extension.ts'
import type { Credentials, Json } from '../../state/credentials.ts'
import { parseDate } from '../../state/expiry.ts'
import type { Ending } from '../../state/record.ts'
import { commitOf } from './news.ts'

/** What a response says: newer credentials; `null`, the session is over; `undefined`, nothing. */
export type ReadResponse = (response: Response) => Credentials | null | undefined

/** Takes over what responses say of the session. Older news, and news of another session, change nothing. */
export const observeResponses = (read: ReadResponse): Extension => ({
  name: 'observeResponses',
  setup: (kernel) => ({
    observe(context) {
      const said = read(context.response)
      if (said === undefined) return undefined
      return said ? write(commitOfResponse(said, context, kernel), kernel) : writeEnd(context, kernel)
    },
  }),
})

/** A storage that does not answer is no reason to withhold the response. An answer without a token is told of. */
const write = (commit: Commit<Json> | undefined, kernel: Kernel): Promise<void> | undefined =>
  commit && kernel.write(commit).catch(ignoreTransient)

/** A refusal ends a session that has expired; any other response, one that the user has left. */
async function writeEnd(context: ResponseContext, kernel: Kernel): Promise<void> {
  const isRefusal = context.response.status === 401 || (await isExpired(context, kernel))
  await write(commitOfResponse(null, context, kernel, isRefusal ? 'expired' : 'signed-out'), kernel)
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

function commitOfResponse(
  said: Credentials | null,
  { response, sentWith }: ResponseContext,
  kernel: Kernel,
  ending: Ending = 'signed-out',
): Commit<Json> | undefined {
  const receipt = { at: kernel.now(), serverTime: parseDate(response.headers.get('date')), isByServer: true }
  return commitOf({ said, of: sentWith, ending, receipt }, kernel)
}
