// A WebSocket that belongs to a session: an entry of its own. It opens with a good token, comes back after a loss, and is closed
// when the session is over. Nothing is queued: what was meant for one connection, or one user, is never sent in another.

import { CallbackError, InvalidOptionError, sentenceOf } from '../errors.ts'
import { assertKnown, type Names } from '../known-options.ts'
import { callApp, type Connection, connect, type Ended, type SocketData } from './socket/connection.ts'
import type { SessionSocket, SocketEvents, SocketOptions } from './socket/face.ts'
import { hrefOf } from './socket/href.ts'
import { createListeners } from './socket/listeners.ts'
import { internalsOf, type Over, type StreamSession } from './streams/owner.ts'
import { createStream, type Renewal } from './streams/stream.ts'

export type { Ended, Over, Renewal, SessionSocket, SocketData, SocketEvents, SocketOptions, StreamSession }

const OPTIONS: Names<SocketOptions> = {
  protocols: true,
  hello: true,
  onRefresh: true,
  isRefused: true,
  binaryType: true,
}

const REFUSALS = [1008, 3000, 4401]
// A browser does not say why a handshake failed. After one failure it may be the network; after two it may be a 401.
const FAILED_HANDSHAKES = 2

/**
 * Opens a WebSocket as the user who is signed in, or who is the first to sign in. A connection is made with a token that is not
 * near expiry, while the browser is online, and again, with growing pauses, when it is lost, also after a sleep of the machine.
 *
 * It is closed for good, with the code 1000, when the user signs out, when the server ends the session, and when another user
 * signs in: open another one for the next user.
 *
 * The token is only in what `protocols` and `hello` return, never in the URL. Leave both out where a cookie proves the session.
 *
 * @param url `wss:`, `ws:`, `https:`, `http:`, or a path of the page.
 * @throws {@link InvalidOptionError} for a URL that is none of that, or that leads to an origin that is not among the session's
 *   {@link SessionOptions.origins} while a token would go there. Nothing was opened.
 * @example
 * const socket = openSocket(session, '/live', { protocols: (token) => ['access_token', token] })
 * socket.on('message', ({ data }) => render(data))
 * @see [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)
 */
export function openSocket(session: StreamSession, url: string | URL, options: SocketOptions = {}): SessionSocket {
  assertKnown('openSocket', options, OPTIONS)
  const { protocols = [], hello, onRefresh = 'keep', binaryType = 'blob' } = options
  const isRefused = options.isRefused ?? (({ code }) => REFUSALS.includes(code))
  const needsToken = typeof protocols === 'function' || !!hello
  if (onRefresh === 'hello' && !hello) throw new InvalidOptionError('onRefresh', "'hello' needs the option `hello`")
  const internals = internalsOf(session)
  const { clock } = internals.runtime
  const href = hrefOf(url, internals, needsToken)
  const { on, emit } = createListeners<SocketEvents>((event, cause) =>
    internals.tell(new CallbackError(`A listener of a socket's ${event} threw: ${sentenceOf(cause)}`, { cause })),
  )
  const stream = createStream(session, { over: end, renew: giveUp, changed: () => void renewToken() })

  let connection: Connection | null = null
  /** The token that the server knows. */
  let token: string | null = null
  /** Why this side has given the connection up. */
  let whyLeft: 'refresh' | Renewal | null = null
  let failedHandshakes = 0
  /** A refresh was made for what the server refused: until a connection has lived, another one would cure nothing. */
  let isRenewed = false

  async function keepOpen(): Promise<void> {
    while (await stream.untilMayConnect()) {
      try {
        await connectOnce()
      } catch (error) {
        // Else there is no good token for now: the session tells why, and heals.
        if (error instanceof InvalidOptionError || error instanceof CallbackError) fail(error)
        else stream.ended(0)
      }
    }
  }

  async function connectOnce(): Promise<void> {
    token = await session.getToken()
    // While it was waited for, the user may have left.
    if (!stream.mayConnect()) return
    if (needsToken && token === null) throw new InvalidOptionError(hello ? 'hello' : 'protocols', NO_TOKEN)
    const { version } = internals
    const startedAt = clock.mono()
    whyLeft = null
    connection = open(token ?? '')
    const ended = await connection.ended.finally(() => (connection = null))
    if (stream.stopped.aborted) return
    const why = whyLeft ?? 'closed'
    const isRefusal = !whyLeft && judge(ended, stream.ended(ended.wasOpen ? clock.mono() - startedAt : 0))
    emit('lost', { ...ended, why })
    // What fails is told by the session: the next connection is tried with what it has then.
    if (isRefusal) await internals.renew(version).catch(() => {})
  }

  const open = (as: string): Connection =>
    connect(
      internals.runtime,
      {
        href,
        protocols: typeof protocols === 'function' ? callApp('protocols', () => protocols(as)) : protocols,
        hello: hello && (() => hello(as)),
        binaryType,
      },
      { open: (protocol) => emit('open', { protocol }), message: (data) => emit('message', { data }) },
    )

  /** @returns whether a refresh may cure it. */
  function judge(ended: Ended, hasLived: boolean): boolean {
    if (hasLived) isRenewed = false
    failedHandshakes = ended.wasOpen ? 0 : failedHandshakes + 1
    const isSuspect = callApp('isRefused', () => isRefused(ended)) || failedHandshakes >= FAILED_HANDSHAKES
    if (!isSuspect || isRenewed) return false
    isRenewed = true
    return true
  }

  function giveUp(why: 'refresh' | Renewal): void {
    whyLeft = why
    connection?.close(1000, '')
  }

  /** The session has changed: maybe it has another token than the server knows. */
  async function renewToken(): Promise<void> {
    const held = connection
    if (onRefresh === 'keep' || !needsToken || !held?.isOpen) return
    const next = await session.getToken().catch(() => null)
    const isNew = next !== null && next !== token
    if (!isNew || !held.isOpen) return
    token = next
    if (onRefresh === 'reconnect') {
      stream.pauseBriefly()
      giveUp('refresh')
      return
    }
    try {
      held.send(callApp('hello', () => hello!(next)))
    } catch (error) {
      fail(error as CallbackError)
    }
  }

  function fail(error: InvalidOptionError | CallbackError): void {
    internals.tell(error)
    end('invalid')
  }

  let isClosed = false
  function end(why: SocketEvents['close']['why']): void {
    if (isClosed) return
    isClosed = true
    stream.stop()
    connection?.close(1000, '')
    emit('close', { why })
  }

  void keepOpen()

  return {
    get state() {
      if (isClosed) return 'closed'
      if (!connection) return 'waiting'
      return connection.isOpen ? 'open' : 'connecting'
    },
    send(data) {
      if (!connection?.isOpen) return false
      connection.send(data)
      return true
    },
    close(code = 1000, reason = '') {
      connection?.close(code, reason)
      end('closed')
    },
    on,
  }
}

const NO_TOKEN =
  'needs a token, and this session has none that scripts can read. Leave the option out: the cookie goes along'
