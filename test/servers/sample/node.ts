// The sample server under node:http: as a handler for any such server, or listening on a port of its own.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { arrayBuffer } from 'node:stream/consumers'
import type { SampleServer } from './server.ts'

export interface Listening {
  readonly origin: string
  readonly port: number
  close(): Promise<void>
}

const toRequest = async (message: IncomingMessage, signal: AbortSignal): Promise<Request> => {
  const { method = 'GET', url = '/', headers } = message
  const pairs = Object.entries(headers)
    .filter(([name]) => !name.startsWith(':')) // where HTTP/2 says method and path
    .flatMap(([name, value]) => [value ?? []].flat().map((one): [string, string] => [name, one]))
  const body = await arrayBuffer(message)
  return new Request(new URL(url, `http://${headers.host ?? '127.0.0.1'}`), {
    method,
    headers: pairs,
    signal,
    ...(body.byteLength && { body }), // an empty one is none: it would need a type
  })
}

// Not a plain reset: Chromium sends a request again by itself when a connection it has used before is reset without a
// byte. Bytes that are no HTTP fail the same fetch at once and are never retried.
export const drop = (message: IncomingMessage): void => {
  message.socket.end('dropped\r\n\r\n', () => message.socket.destroy())
}

export const toNode =
  (server: Pick<SampleServer, 'handle'>) =>
  async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const left = new AbortController()
    response.once('close', () => left.abort())
    try {
      const answer = await server.handle(await toRequest(message, left.signal))
      if (response.destroyed || left.signal.aborted) return
      if (answer === 'drop') return drop(message)
      // Not with writeHead, which keeps one cookie of several under Vite, nor with setHeaders, which HTTP/2 lacks.
      for (const name of answer.headers.keys()) response.setHeader(name, answer.headers.get(name) ?? '')
      const cookies = answer.headers.getSetCookie()
      if (cookies.length) response.setHeader('set-cookie', cookies)
      response.writeHead(answer.status)
      response.end(new Uint8Array(await answer.arrayBuffer()))
    } catch (error) {
      if (left.signal.aborted) return
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error))
    }
  }

/** On 127.0.0.1 only. Port 0, the default, is any free one. */
export const listen = async (server: SampleServer, { port = 0 }: { port?: number } = {}): Promise<Listening> => {
  const handle = toNode(server)
  const http = createServer((message, response) => void handle(message, response))
  await new Promise<void>((done, fail) => http.once('error', fail).listen(port, '127.0.0.1', done))
  const address = http.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return {
    origin: `http://127.0.0.1:${bound}`,
    port: bound,
    close: () =>
      new Promise((done) => {
        http.close(() => done())
        http.closeAllConnections()
      }),
  }
}
