// Server-sent events over `session.fetch`: an entry of its own, built on the package `eventsource`, so that nobody else ships it.

import { EventSource, type EventSourceFetchInit, type FetchLikeResponse } from 'eventsource'
import { assertKnown } from '../known-options.ts'
import { createStream, type Renewal } from '../extensions/streams/stream.ts'
import { internalsOf, type StreamSession } from '../extensions/streams/owner.ts'

export type { StreamSession }

export interface EventSourceOptions {
  /** As of the browser's own: sends cookies to other origins. @default false */
  withCredentials?: boolean
}

/**
 * An EventSource as the user who is signed in, or who is the first to sign in, with the session's credentials in its headers. Each
 * connection goes through `session.fetch`: an expired session is renewed first. It connects while the browser is online, and again
 * when it is lost, from the last event id, also after a sleep of the machine; 5xx and 429 are tried again, with growing pauses.
 *
 * It is closed for good (`readyState` 2) when the user signs out, when the server ends the session, and when another user signs in:
 * open another one for the next user. A 401 that is left after a refresh, as any other refusal, closes it with an `error` event
 * that has the status as its `code`.
 *
 * @throws a `SyntaxError` for a URL that is none.
 * @example
 * const events = openEventSource(session, '/api/events')
 * events.addEventListener('message', ({ data }) => render(data))
 * @see [HTML, Server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)
 */
export function openEventSource(
  session: StreamSession,
  url: string | URL,
  options: EventSourceOptions = {},
): EventSource {
  assertKnown('openEventSource', options, { withCredentials: true })
  const { clock } = internalsOf(session).runtime
  let breakOff = (_why: Renewal): void => {}
  let openedAt: number | null = null
  let source: EventSource | undefined = undefined
  const stream = createStream(session, { over: () => source?.close(), renew: (why) => breakOff(why) })

  class SessionEventSource extends EventSource {
    override close(): void {
      super.close()
      stream.stop()
    }
  }

  async function request(input: string | URL, init: EventSourceFetchInit): Promise<FetchLikeResponse> {
    if (openedAt !== null) stream.ended(clock.mono() - openedAt)
    openedAt = null
    if (!(await stream.untilMayConnect())) throw new DOMException('The stream is closed', 'AbortError')
    const signal = signalFor(init)
    try {
      const response = await session.fetch(input, { ...init, signal })
      if (isPassing(response)) throw await refusalOf(response)
      openedAt = clock.mono()
      return viewOf(response, signal)
    } catch (error) {
      if (!signal.aborted) stream.ended(0)
      throw error
    }
  }

  /** Aborted when the stream is closed, and when its connection has to be made anew: that is an error like any other. */
  function signalFor({ signal }: EventSourceFetchInit): AbortSignal {
    const controller = new AbortController()
    const caller = signal as AbortSignal
    caller.addEventListener('abort', () => controller.abort(caller.reason))
    breakOff = (why) => {
      openedAt = null
      controller.abort(new TypeError(`The connection is opened again: ${why}`))
    }
    return controller.signal
  }

  source = new SessionEventSource(url, { ...options, fetch: request })
  // The session was disposed of already.
  if (stream.stopped.aborted) source.close()
  const { CLOSED } = source
  source.addEventListener('error', ({ target }) => {
    if ((target as EventSource).readyState === CLOSED) stream.stop()
  })
  return source
}

/** Whether the server says no for now: the browser's own EventSource would give up. */
const isPassing = ({ status }: Response): boolean => [408, 425, 429].includes(status) || status >= 500

async function refusalOf(response: Response): Promise<TypeError> {
  await response.body?.cancel()
  return new TypeError(`The stream answered ${response.status}: the request is sent again`)
}

/** Its body fails with the reason of the signal. Browsers differ in what an aborted body fails with. */
function viewOf(response: Response, signal: AbortSignal): FetchLikeResponse {
  const { url, status, redirected, headers, body } = response
  return { url, status, redirected, headers, body: body && breakable(body, signal) }
}

function breakable(body: ReadableStream<Uint8Array>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>({
    start: (controller) => signal.addEventListener('abort', () => controller.error(signal.reason)),
    async pull(controller) {
      const { done, value } = await reader.read()
      if (signal.aborted) return
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
