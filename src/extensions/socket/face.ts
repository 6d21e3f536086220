// What an app sees of a socket: its options, its events, and the promise of each. Types only.

import type { Undo } from '../../seam/io.ts'
import type { Over } from '../streams/owner.ts'
import type { Renewal } from '../streams/stream.ts'
import type { Ended, SocketData } from './connection.ts'

export interface SocketOptions {
  /**
   * The subprotocols, or a function that makes them of a token, for a server that reads it from `Sec-WebSocket-Protocol`. They are
   * names: letters, digits and ``!#$%&'*+-.^_`|~``, so a JWT fits, and base64 with `/` or `=` does not.
   */
  protocols?: readonly string[] | ((token: string) => readonly string[])
  /** Makes the first message of each connection, for a server that wants the token there. It goes out before `open` is told. */
  hello?: (token: string) => string
  /**
   * What becomes of an open connection when the token was renewed. `keep`: nothing; when the server closes it because the old token
   * has expired, another is made. `hello`: sends `hello` again, with the new token. `reconnect`: makes another connection.
   * @default 'keep'
   */
  onRefresh?: 'keep' | 'hello' | 'reconnect'
  /**
   * Whether the server closed a connection because it does not take the token. Then one refresh is made before the next connection.
   * @default the codes 1008 (RFC 6455 §7.4.1), 3000 (IANA: Unauthorized) and 4401
   */
  isRefused?: (ended: { code: number; reason: string }) => boolean
  /** @default 'blob' */
  binaryType?: BinaryType
}

export interface SocketEvents {
  /** A connection is open, and `hello` is sent. What came since the last one is lost: read it anew where that counts. */
  open: { protocol: string }
  message: { data: unknown }
  /**
   * A connection has ended, or could not be made; another one follows. `why`: the server or the network (`closed`), or what made
   * this connection useless.
   */
  lost: Ended & { why: 'closed' | 'refresh' | Renewal }
  /** Over for good: `close()` was called (`closed`), the session is over, or an option was wrong (`invalid`; the session's `error` event says which). */
  close: { why: 'closed' | 'invalid' | Over }
}

export interface SessionSocket {
  /** `waiting`: for somebody to sign in, for the network, or for the pause after a loss. `closed`: for good. */
  readonly state: 'waiting' | 'connecting' | 'open' | 'closed'
  /** @returns false where no connection is open: nothing was sent, and nothing is kept. */
  send(data: SocketData): boolean
  /** For good. @param code 1000, or 3000 to 4999. @default 1000 */
  close(code?: number, reason?: string): void
  /** @returns what ends the subscription. A listener that throws harms nobody: an `error` event of the session tells. */
  on<E extends keyof SocketEvents>(event: E, listener: (event: SocketEvents[E]) => unknown): Undo
}
