// WebSockets without a network: each connection is a fake one, and the test, or a sample server's word on the token, says what
// becomes of it. Faults are as a browser has them: a refused handshake is a `close` with 1006, and says no more.

import type { SampleServer } from '../servers/sample/server.ts'
import { ORIGIN } from './session.ts'

export interface FakeSocket {
  readonly url: string
  readonly protocols: readonly string[]
  /** What the page sent. */
  readonly sent: readonly unknown[]
  /** What the page closed it with. */
  readonly closedWith: readonly [code: number | undefined, reason: string | undefined] | null
  accept(): void
  say(data: unknown): void
  /** The server, or the network, ends it. */
  drop(code: number, reason?: string): void
}

export interface Sockets {
  readonly WebSocket: typeof WebSocket
  /** Each connection that was tried. */
  readonly tried: readonly FakeSocket[]
  readonly last: FakeSocket
  /** Called for each connection once it is tried. */
  meet: (socket: FakeSocket) => void
}

export const createSockets = (meet: Sockets['meet'] = (socket) => socket.accept()): Sockets => {
  const tried: Fake[] = []

  class Fake extends EventTarget implements FakeSocket {
    readonly sent: unknown[] = []
    readonly protocols: readonly string[]
    closedWith: FakeSocket['closedWith'] = null
    binaryType = 'blob'
    #state = 'connecting'

    constructor(
      readonly url: string,
      protocols: string[] = [],
    ) {
      super()
      for (const each of protocols)
        if (!/^[\w!#$%&'*+.^`|~-]+$/.test(each)) throw new SyntaxError(`The subprotocol '${each}' is invalid.`)
      this.protocols = protocols
      tried.push(this)
      queueMicrotask(() => sockets.meet(this))
    }

    get protocol() {
      return this.protocols[0] ?? ''
    }

    accept() {
      if (this.#state !== 'connecting') return
      this.#state = 'open'
      this.dispatchEvent(new Event('open'))
    }

    say(data: unknown) {
      if (this.#state !== 'closed') this.dispatchEvent(Object.assign(new Event('message'), { data }))
    }

    drop(code: number, reason = '') {
      if (this.#state === 'closed') return
      this.#state = 'closed'
      this.dispatchEvent(Object.assign(new Event('close'), { code, reason }))
    }

    send(data: unknown) {
      if (this.#state === 'connecting') throw new DOMException('Still in CONNECTING state.', 'InvalidStateError')
      this.sent.push(data)
    }

    close(code?: number, reason?: string) {
      if (code !== undefined && code !== 1000 && !(code >= 3000 && code < 5000))
        throw new DOMException('The code must be either 1000, or between 3000 and 4999.', 'InvalidAccessError')
      this.closedWith ??= [code, reason]
      queueMicrotask(() => this.drop(code ?? 1005, reason))
    }
  }

  const sockets = {
    WebSocket: Fake as unknown as typeof WebSocket,
    tried,
    get last() {
      return tried.at(-1)!
    },
    meet,
  }
  return sockets
}

/** Opens for whoever is known to the server, and closes with this code for everybody else; 1006 refuses the handshake. */
export const guardedBy =
  (server: SampleServer, code: number): Sockets['meet'] =>
  (socket) => {
    void (async () => {
      const headers = { authorization: `Bearer ${socket.protocols.at(-1)}` }
      const answer = await server.handle(new Request(`${ORIGIN}/api/me`, { headers }))
      const isKnown = answer !== 'drop' && answer.ok
      if (isKnown || code !== 1006) socket.accept()
      if (!isKnown) socket.drop(code)
    })()
  }
