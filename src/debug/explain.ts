// Why the user is signed out, or the session is stale, in a sentence or two, with a code that stays the same in all versions.

import { RefreshTimeoutError, sentenceOf, SessionError } from '../errors.ts'
import type { Session } from '../face.ts'
import type { State } from '../state/view.ts'
import { type History, historyOf } from './history.ts'
import { insideOf } from './inside.ts'
import { withoutTokens } from './words.ts'

/** Why the session could not ask its server. */
export type FailureCause =
  | 'network'
  | 'timeout'
  | 'rate-limited'
  | 'server-error'
  | 'wrong-url'
  | 'unreadable'
  | 'refused'
  | 'storage'
  | 'unknown'

/** For support: codes are added, and none changes its meaning. */
export type ExplanationCode =
  | 'signed-in'
  | 'disposed'
  | 'loading'
  | `loading/${FailureCause}`
  | `stale/${FailureCause}`
  | 'signed-out/never'
  | 'signed-out/by-user'
  | 'signed-out/expired'
  | 'signed-out/revoked'
  | 'signed-out/reused'
  | 'signed-out/no-refresh-token'

export interface Explanation {
  readonly code: ExplanationCode
  readonly sentence: string
  /** The sentence, and the code in brackets. */
  toString(): string
}

const CAUSES: { readonly [cause in FailureCause]: string } = {
  network: 'the server could not be reached (no network, a server that is down, or missing CORS headers)',
  timeout: 'the server did not answer in time',
  'rate-limited': 'the server answered 429 (too many requests)',
  'server-error': 'the server answered with an error of its own (5xx)',
  'wrong-url': 'the URL is wrong: the server has no such route, or something other than your API answers there',
  unreadable: 'the answer of the server had no token that could be read',
  refused: 'the server refused the request, and did not say that the session is over',
  storage: 'the storage of the browser fails',
  unknown: 'something failed, and the cause is not known',
}

/**
 * Why the user is signed out, or the session is stale. Says more if `debug(session)` or the devtools watched the session.
 *
 * @example
 * showHelp(`Signed out. Tell the support: ${explain(session).code}`)
 */
export function explain<U, C>(session: Pick<Session<U, C>, 'current'>): Explanation {
  const { about, disposed } = insideOf(session)
  const history = historyOf(session)
  const { status, stale } = session.current
  // While all is well, an earlier error explains nothing.
  const isWell = status === 'authenticated' && !stale
  const failure = about.store.lastFailure ?? (isWell ? null : history.error)
  const [code, sentence] = disposed.aborted
    ? (['disposed', 'session.dispose() was called: this session is stopped'] as const)
    : explainState(session.current, failure, history)
  const told = withoutTokens(sentenceOf(sentence))
  return { code, sentence: told, toString: () => `${told} [${code}]` }
}

type Told = readonly [code: ExplanationCode, sentence: string]

function explainState(state: State<unknown, unknown>, failure: unknown, history: History): Told {
  const { status, stale } = state
  if (status === 'unauthenticated') return explainEnd(state, history)
  const cause = causeOf(failure)
  if (status === 'loading') {
    if (!failure) return ['loading', 'It is not known yet who is signed in: the storage or the server is being asked']
    return [
      `loading/${cause}`,
      `It is not known who is signed in, because ${CAUSES[cause]}. The session asks again by itself.${said(failure)}`,
    ]
  }
  if (!stale && !(failure instanceof SessionError))
    return ['signed-in', 'The user is signed in, and no problem is known']
  if (!stale)
    return [
      'signed-in',
      `The user is signed in, and the session goes on with the token that it has, but the last refresh failed, because ${CAUSES[cause]}.${said(failure)}`,
    ]
  return [
    `stale/${cause}`,
    `The session is kept, but could not be renewed, because ${CAUSES[cause]}. The session tries again by itself.${said(failure)}`,
  ]
}

function explainEnd({ reason }: State<unknown, unknown>, history: History): Told {
  const where = history.source === 'other-tab' ? ' in another tab' : ''
  switch (reason) {
    case 'signed-out':
      return ['signed-out/by-user', `The user is signed out, because the app called session.signOut()${where}`]
    case 'revoked':
      return [
        'signed-out/revoked',
        `The user is signed out, because the server revoked the session${byRefresh(history)}`,
      ]
    case 'reused':
      return [
        'signed-out/reused',
        `The user is signed out, because a refresh token was used twice, and the server takes that for theft${byRefresh(history)}`,
      ]
    case 'expired':
      return history.canRefresh === false
        ? [
            'signed-out/no-refresh-token',
            'The user is signed out, because the server no longer accepts the access token, and there was no refresh token to renew it with',
          ]
        : [
            'signed-out/expired',
            `The user is signed out, because the server says that the session is over${byRefresh(history)}`,
          ]
    default:
      return [
        'signed-out/never',
        'The user is signed out, because nobody has signed in here, or the stored session is gone',
      ]
  }
}

/** Which refresh the server refused, and with which answer, if `debug` or the devtools saw it. */
function byRefresh({ refresh, answer, source }: History): string {
  if (source === 'other-tab') return ', as it told another tab'
  if (refresh?.outcome !== 'refused') return ''
  const by = answer ? ` (${answer.method} ${answer.url} answered ${answer.status})` : ''
  return `, in its answer to refresh ${refresh.attempt}${by}`
}

const said = (failure: unknown): string =>
  failure instanceof SessionError
    ? ` The last error (${failure.code}): ${failure.message.replace(/ The session is kept\.$/, '')}`
    : ''

function causeOf(failure: unknown): FailureCause {
  if (!(failure instanceof SessionError)) return 'unknown'
  const { message, refusal, code } = failure
  if (code === 'ERR_STORAGE' || message.startsWith('The storage ')) return 'storage'
  if (refusal) return causeOfAnswer(refusal)
  if (failure instanceof RefreshTimeoutError) return 'timeout'
  // The error of fetch is the `cause` of the session's error, or the cause of its cause.
  for (let cause: unknown = failure.cause; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof RefreshTimeoutError) return 'timeout'
    if (cause instanceof TypeError) return 'network'
  }
  return 'unknown'
}

function causeOfAnswer({ status, headers }: Response): FailureCause {
  if (status === 429) return 'rate-limited'
  if (status >= 500) return 'server-error'
  const isPage = /^\s*text\/html\b/i.test(headers.get('content-type') ?? '')
  if (isPage || [404, 405, 410].includes(status)) return 'wrong-url'
  return status < 400 ? 'unreadable' : 'refused'
}
