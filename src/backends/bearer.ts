// Access and refresh tokens from endpoints of any shape: a refresh call that can be shaped by options.

import { RefreshFailedError } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import type { Backend } from '../seam/backend.ts'
import type { Io, RefreshIntent } from '../seam/io.ts'
import { type Credentials, type Json, withoutUndefined } from '../state/credentials.ts'
import { type AnswerOptions, assertNames, at, namesOf, readCredentials } from './bearer/answer.ts'
import { assertRule, type IsRefused, isRefused, throwReason } from './bearer/ending.ts'
import { ask, assertAskable, QUESTION_OPTIONS, type QuestionOptions } from './bearer/question.ts'
import {
  assertDelivered,
  attachBearer,
  isEmpty,
  originsOf,
  ownsEndpoints,
  peek,
  readJson,
  requireOptions,
} from './kit.ts'

export type { AnswerNames } from './bearer/answer.ts'
export type { IsRefused } from './bearer/ending.ts'
export type { Asking, Made, QuestionOptions } from './bearer/question.ts'

export interface BearerOptions<U = Json> extends QuestionOptions, AnswerOptions<U> {
  /** Where new credentials come from. `null`: from nowhere, and the session lives as long as its access token. */
  refreshUrl: string | null
  /** Told at sign-out, in the way of the refresh. Left out: the server is not told. */
  signOutUrl?: string
  /** Where the sign-out is asked in another way than the refresh. */
  signOut?: QuestionOptions
  /**
   * GET with the access token, on `reload()`; with `refreshTokenIn: 'cookie'` also where a page begins. Its answer is the user. A
   * sign-in and a plain refresh don't ask: their own answer has the user, or it stays as it was. Left out: nobody is asked.
   */
  userUrl?: string
  /** Where the answer of `userUrl` has the user: a path, or a function. @default all of it */
  readUser?: string | ((json: Json) => U | null)
  /**
   * Which answers say no: to a refresh, that the session is over; to a login, that nobody is signed in.
   * @default [400, 401, 403]
   */
  isRefused?: IsRefused
  /** What `body` and `headers` make use of when `refresh` and `reload` are given it. @default [] */
  accepts?: Backend['accepts']
  /** ms in which the server forgives a second use of a refresh token. @default 0 */
  replayWindow?: number
}

const OPTIONS: Names<BearerOptions> = {
  ...QUESTION_OPTIONS,
  refreshUrl: true,
  signOutUrl: true,
  signOut: true,
  userUrl: true,
  readUser: true,
  isRefused: true,
  accepts: true,
  replayWindow: true,
  answer: true,
  read: true,
  extras: true,
}

/**
 * @example
 * createSession({ backend: bearer({ refreshUrl: '/auth/refresh', answer: { accessToken: 'token' } }) })
 */
export function bearer<U = Json>(options: BearerOptions<U>): Backend<U> {
  const { refreshUrl, signOutUrl, userUrl, readUser, replayWindow, accepts } = checked(options)
  const question = questionOf(options)
  const farewell = farewellOf(options)
  const { refreshTokenIn } = question
  const isCookie = refreshTokenIn === 'cookie'
  // Other methods may be the app's own: one URL to log in, to renew and to sign out is common.
  const isRefresh = ownsEndpoints([refreshUrl ?? undefined], question.method ?? 'POST')
  const isFarewell = ownsEndpoints([signOutUrl], farewell.method ?? 'POST')

  async function refresh(
    credentials: Credentials<U>,
    io: Io<U>,
    wanted: RefreshIntent,
  ): Promise<Credentials<U> | null> {
    if (refreshUrl === null || !canRefresh(credentials)) return null // nothing to ask with
    const response = await ask(io, refreshUrl, question, credentials, wanted)
    const json = await wordsOf(response)
    if (await isRefused(options.isRefused, json, response)) {
      throwReason(json, response)
      return null
    }
    if (!response.ok) await readJson(response) // which tells what it is
    return readCredentials(options, json, response)
  }

  /** What an answer says: `{}` for a refusal that is no JSON. @throws RefreshFailedError for a success that is none, such as a page. */
  async function wordsOf(response: Response): Promise<Json> {
    if (!response.ok) return (await peek(response)) ?? {}
    const mayBeEmpty = options.read || typeof options.isRefused === 'function'
    return mayBeEmpty && (await isEmpty(response)) ? {} : readJson(response)
  }

  async function withUser(fresh: Credentials<U>, io: Io<U>): Promise<Credentials<U>> {
    if (!userUrl) return fresh
    io.checkpoint(fresh) // its refresh token is the only one now, whatever the next call says
    const asking = { method: 'GET', refreshTokenIn: 'none', headers: options.headers } as const
    const response = await ask(io, userUrl, withoutUndefined(asking), fresh)
    const { status } = response
    if (status === 404 || status === 405)
      throw new RefreshFailedError(`answered ${status}: there is no such route for the user (option userUrl)`, {
        refusal: response,
      })
    const json = await readJson(response)
    const user = typeof readUser === 'function' ? readUser(json) : readUser === undefined ? json : at(json, readUser)
    return { ...fresh, user: user as U | null }
  }

  const canRefresh = ({ accessToken, refreshToken }: Credentials<U>): boolean =>
    refreshUrl !== null && (isCookie || !!(refreshTokenIn === 'none' ? accessToken : refreshToken))

  return {
    name: 'bearer',
    ...(isCookie && { cookies: true, needsToken: true }),
    ...withoutUndefined({ replayWindow, accepts }),
    origins: originsOf([refreshUrl ?? undefined, signOutUrl, userUrl]),
    ...identityOf(options),
    owns: (url, method) => isRefresh(url, method) || isFarewell(url, method),
    attach: attachBearer,
    canRefresh,
    refresh,
    async readAnswer(json, response) {
      return (await isRefused(options.isRefused, json, response)) ? null : readCredentials(options, json, response)
    },
    ...(isCookie && {
      async restore(io: Io<U>, held: Credentials<U> | null) {
        const fresh = await refresh(held ?? {}, io, { reason: 'reload' })
        const isUserKnown = !fresh || (fresh.user ?? held?.user) != null
        return isUserKnown ? fresh : withUser(fresh, io)
      },
    }),
    async reload(credentials, io, wanted) {
      const fresh = await refresh(credentials, io, wanted)
      return fresh && withUser(fresh, io)
    },
    async signOut(credentials, io) {
      if (!signOutUrl || !(credentials || isCookie)) return
      assertDelivered(await ask(io, signOutUrl, farewell, credentials))
    },
  }
}

/** Where its endpoints are, and of which client; with none, the name alone has to tell. */
function identityOf<U>({ refreshUrl, signOutUrl, userUrl, body }: BearerOptions<U>): Pick<Backend, 'identity'> {
  const endpoint = refreshUrl ?? signOutUrl ?? userUrl
  if (endpoint === undefined) return {}
  const fields = typeof body === 'object' ? Object.entries(body) : []
  const [, clientId] = fields.find(([name]) => /^client_?id$/i.test(name)) ?? []
  const client = typeof clientId === 'string' ? { clientId } : {}
  return { identity: { endpoint, others: [signOutUrl, userUrl], ...client } }
}

/** How to ask for new credentials. */
function questionOf<U>({ answer, ...options }: BearerOptions<U>): QuestionOptions {
  const { refreshTokenIn = options.refreshUrl === null ? 'none' : 'body' } = options
  const { refreshTokenName = nameIn(refreshTokenIn, answer) } = options
  return { ...options, refreshTokenIn, ...withoutUndefined({ refreshTokenName }) }
}

/** How to tell of a sign-out: in the same way, without what the refresh says beside its token. */
function farewellOf<U>(options: BearerOptions<U>): QuestionOptions {
  const question = questionOf(options)
  const { signOut = {} } = options
  const { refreshTokenIn = question.refreshTokenIn } = signOut
  const isSame = refreshTokenIn === question.refreshTokenIn
  const refreshTokenName = isSame ? question.refreshTokenName : nameIn(refreshTokenIn!, options.answer)
  const asRefresh = withoutUndefined({ bodyFormat: options.bodyFormat, headers: options.headers, refreshTokenName })
  return { ...asRefresh, refreshTokenIn, ...signOut } as QuestionOptions
}

/** A server asks for the refresh token under the name that it gives it. */
const nameIn = (place: string, answer: BearerOptions['answer']): string | undefined =>
  place === 'body' ? namesOf(answer).refreshToken.split('.').at(-1) : undefined

function checked<U>(options: BearerOptions<U>): BearerOptions<U> {
  assertKnown('bearer', options, OPTIONS)
  if (options?.refreshUrl !== null) requireOptions(options, 'refreshUrl')
  assertKnown('bearer', options.signOut ?? {}, QUESTION_OPTIONS, 'signOut.')
  assertNames(options.answer)
  assertRule(options.isRefused)
  assertAskable(options, '')
  assertAskable(farewellOf(options), 'signOut.')
  return options
}
