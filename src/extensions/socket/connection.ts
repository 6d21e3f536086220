// One connection of a socket: from the handshake to its end.

import { CallbackError, InvalidOptionError, sentenceOf } from '../../errors.ts'
import type { Runtime } from '../../runtime/ports.ts'

export type SocketData = string | ArrayBuffer | Blob | ArrayBufferView<ArrayBuffer>

export interface ConnectionOptions {
  readonly href: string
  readonly protocols: readonly string[]
  readonly binaryType: BinaryType
  /** The first message, made when the connection is open. */
  readonly hello?: (() => string) | undefined
}

/** How a connection ended. */
export interface Ended {
  /** Of the WebSocket protocol (RFC 6455 §7.4); 1006 where there was no close frame, so too for a refused handshake. */
  readonly code: number
  readonly reason: string
  readonly wasOpen: boolean
}

export interface Connection {
  readonly isOpen: boolean
  /** @throws CallbackError if `hello` threw: nothing was sent. */
  readonly ended: Promise<Ended>
  send(data: SocketData): void
  /** From here on nothing is heard of it. */
  close(code: number, reason: string): void
}

// A handshake that takes longer has met a server, or a proxy, that will not answer.
const MAX_HANDSHAKE_MS = 20_000

/** Code of the app that gets a token. @throws CallbackError */
export function callApp<T>(name: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new CallbackError(`${name} threw: ${sentenceOf(cause)} The socket is closed; the session is kept.`, { cause })
  }
}

/** @throws InvalidOptionError for a protocol that can't stand in the header. The browser's own error would name it: a token. */
function createWebSocket(get: Runtime<unknown>['get'], { href, protocols }: ConnectionOptions): WebSocket {
  const WebSocket = get('WebSocket')
  if (!WebSocket) throw new InvalidOptionError('WebSocket', 'is missing on this platform: the socket is closed')
  try {
    return new WebSocket(href, [...protocols])
  } catch {
    const rule =
      "are not all names that a WebSocket takes, each once: letters, digits and !#$%&'*+-.^_`|~ (RFC 6455 §4.1). " +
      'A token with other characters: encode it, or send it in `hello`'
    throw new InvalidOptionError('protocols', rule)
  }
}

/** @throws InvalidOptionError */
export function connect(
  { clock, get }: Pick<Runtime<unknown>, 'clock' | 'get'>,
  options: ConnectionOptions,
  on: { open(protocol: string): void; message(data: unknown): void },
): Connection {
  const raw = createWebSocket(get, options)
  raw.binaryType = options.binaryType
  let [isOpen, isLeft] = [false, false]
  let settle!: (ended: Ended) => void
  let fail!: (error: unknown) => void
  const ended = new Promise<Ended>((resolve, reject) => ([settle, fail] = [resolve, reject]))
  const stopTimer = clock.after(MAX_HANDSHAKE_MS, () => leave(1000, 'no answer to the handshake'))

  function end(code: number, reason: string): void {
    const wasOpen = isOpen
    isOpen = false
    stopTimer()
    settle({ code, reason, wasOpen })
  }

  function leave(code: number, reason: string): void {
    if (isLeft) return
    // It throws for a code that an app may not send: then nothing has changed.
    raw.close(code, reason)
    isLeft = true
    end(code, reason)
  }

  raw.addEventListener('open', () => {
    if (isLeft) return
    stopTimer()
    try {
      if (options.hello) raw.send(callApp('hello', options.hello))
    } catch (error) {
      fail(error)
      return leave(1000, '')
    }
    isOpen = true
    on.open(raw.protocol)
  })
  raw.addEventListener('message', ({ data }) => {
    if (!isLeft) on.message(data)
  })
  // What went wrong is told by the `close` that follows.
  raw.addEventListener('error', () => {})
  raw.addEventListener('close', ({ code, reason }) => {
    if (!isLeft) end(code, reason)
  })

  return {
    get isOpen() {
      return isOpen
    },
    ended,
    send: (data) => raw.send(data),
    close: leave,
  }
}
