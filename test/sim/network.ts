// The way to the server and back: late, lost before or after the server did its work, refused on the way, or never answered.

import type { Clock } from './clock.ts'
import type { Dice } from './dice.ts'
import type { Call, Sent, Tab } from './facts.ts'
import type { Answer, Question, Server } from './server.ts'

export const API = 'https://api.test'

export interface Network {
  readonly sent: readonly Sent[]
  fetchOf(tab: Tab): typeof fetch
}

export interface NetworkOptions {
  readonly clock: Clock
  readonly dice: Dice
  readonly server: Server
  /** How likely something goes wrong with a request, now. */
  faults(): number
  isOnline(): boolean
  isStormy(): boolean
  callOf(id: string | null): Call | null
  /** The number that this tab journalled last. */
  attemptOf(tab: Tab): number
  onSent(sent: Sent): void
  /** Until then the storage answers nothing. */
  slowUntil(): number
  note(tab: Tab, text: string): void
}

const FATES = [
  'lost',
  'lost',
  'lost-answer',
  'lost-answer',
  '500',
  '503',
  'portal',
  'hang',
  'hang-answer',
  'late',
  'slow',
] as const
type Fate = (typeof FATES)[number] | 'fine'

export const isRefresh = ({ url }: Sent): boolean => url.pathname === '/refresh'
const isOwn = ({ url }: Sent): boolean => /^\/(refresh|me|sign-out)$/.test(url.pathname)

/** As much of a stream as is read of one, without the real one's tasks, which no seed could order. */
const bodyOf = (text: string) => {
  const parts = [new TextEncoder().encode(text)]
  const cancel = async (): Promise<void> => void parts.splice(0)
  const read = async () => ({ done: !parts.length, value: parts.shift() })
  return { cancel, getReader: () => ({ read, cancel }) }
}

export function createNetwork(options: NetworkOptions): Network {
  const { clock, dice, server, faults, isOnline, isStormy, callOf, attemptOf, onSent, slowUntil, note } = options
  const sent: Sent[] = []

  function depart(tab: Tab, input: string, init: RequestInit): Sent {
    const url = new URL(input)
    const body = typeof init.body === 'string' ? init.body : ''
    const authorization = new Headers(init.headers).get('authorization')
    const token = server.access.get(authorization?.slice(7) ?? '') ?? null
    const { refreshToken = null } = (body ? JSON.parse(body) : {}) as { refreshToken?: string }
    const family = server.refresh.get(refreshToken ?? '') ?? null
    const call = callOf(url.searchParams.get('id'))
    const one: Sent = {
      nth: sent.length,
      tab,
      at: clock.time,
      method: init.method ?? 'GET',
      url,
      body,
      call,
      authorization,
      token,
      refreshToken,
      family,
      outcome: 'open',
      status: 0,
      settledAt: Infinity,
      writableAt: 0,
      retryAfter: 0,
      attempt: attemptOf(tab),
      minted: null,
    }
    sent.push(one)
    return one
  }

  function ask(one: Sent): Answer {
    const { nth, method, url, body, authorization } = one
    const question: Question = {
      nth,
      method,
      path: url.pathname,
      id: url.searchParams.get('id'),
      accessToken: authorization?.slice(7) ?? null,
      body: (body ? JSON.parse(body) : {}) as Question['body'],
    }
    const answer = url.origin === API ? server.handle(question) : { status: 401, json: {} }
    const { accessToken } = answer.json as { accessToken?: string }
    one.minted = server.access.get(accessToken ?? '') ?? null
    return answer
  }

  const respond = (one: Sent, { status, json }: Answer, fate: Fate): Response => {
    const retryAfter = fate === '503' ? 1 + Math.floor(dice() * 4) : null
    one.retryAfter = (retryAfter ?? 0) * 1000
    const text = fate === 'portal' ? '<!doctype html>' : JSON.stringify(json)
    const response = (): object => ({
      ok: status < 300,
      status,
      url: one.url.href,
      body: bodyOf(text),
      headers: { get: (name: string) => (name === 'retry-after' && retryAfter ? String(retryAfter) : null) },
      clone: response,
      json: async () => JSON.parse(text) as unknown,
    })
    return response() as Response
  }

  const fetchOf =
    (tab: Tab): typeof fetch =>
    (input, init = {}) =>
      new Promise((resolve, reject) => {
        const { signal } = init
        if (signal?.aborted) {
          reject(signal.reason as Error)
          return
        }
        const one = depart(tab, input as string, init)
        const luck: Fate = dice.chance(faults()) ? dice.pick(FATES) : 'fine'
        const fate = isStormy() && isRefresh(one) ? '500' : luck
        note(tab, `sends ${one.nth} ${one.method} ${one.url.pathname} (${fate})`)
        onSent(one)

        const settle = (outcome: Sent['outcome'], status = 0): void => {
          if (one.outcome !== 'open') return
          one.outcome = outcome
          one.status = status
          one.settledAt = clock.time
          one.writableAt = slowUntil()
          note(tab, `${one.nth} ${outcome} ${status}`)
        }
        signal?.addEventListener('abort', () => {
          settle('aborted')
          reject(signal.reason as Error)
        })
        const lose = (): void =>
          void clock.at(dice.between(1, 500), tab, () => {
            settle('failed')
            reject(new TypeError('fetch failed'))
          })
        const bring = (answer: Answer): void => {
          const delay = fate === 'late' ? dice.between(2000, 25_000) : dice.between(2, 150)
          clock.at(delay, tab, () => {
            settle('answered', answer.status)
            resolve(respond(one, answer, fate))
          })
        }

        if (fate === 'lost' || !isOnline()) return lose()
        // The session has a deadline for its own calls; what the app sends ends when the connection does.
        const hang = (): void => {
          if (!isOwn(one)) clock.at(dice.between(20_000, 60_000), tab, lose)
        }
        if (fate === 'hang') return hang()
        const delay = fate === 'slow' ? dice.between(2000, 12_000) : dice.between(2, 150)
        clock.at(delay, null, () => {
          // What a page had not sent when it died is sent, or not.
          if ((tab.life === 'dead' || one.outcome === 'aborted') && dice.chance(0.5)) return
          if (fate === '500' || fate === '503') return bring({ status: +fate, json: {} })
          if (fate === 'portal') return bring({ status: 200, json: {} })
          const answer = ask(one)
          note(tab, `${one.nth} reaches the server: ${answer.status}`)
          if (fate === 'lost-answer') return lose()
          if (fate === 'hang-answer') return hang()
          bring(answer)
        })
      })

  return { sent, fetchOf }
}
