// Sockets as people build them: ws with the token as a subprotocol or as the first message, graphql-ws, socket.io, and a stream of
// server-sent events. Tokens live for seconds, and each server closes a connection as its token expires.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener } from 'node:http'
import { json } from 'node:stream/consumers'
import { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import jwt from 'jsonwebtoken'
import { Server as SocketIo } from 'socket.io'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { serve } from '../support/child.ts'

export type Controls = ReturnType<typeof create>['controls']

export interface Options {
  lifeSeconds?: number
}

interface Known {
  sub: string
  exp: number
  jti: string
}

/** A message of ws is bytes. */
const textOf = (data: RawData) => (data as Buffer).toString()

function create(_origin: string, { lifeSeconds = 3 }: Options) {
  const secret = randomUUID()
  /** Who connected, how, in order: `protocol s1.2`; and each URL that a handshake came with. */
  let [joined, urls, refused]: [string[], string[], number] = [[], [], 0]
  /** What the sockets of ws were closed with. */
  let codes: number[] = []
  let [session, number] = [0, 0]
  /** Tokens before this one are refused. */
  let oldest = 0
  const refreshTokens = new Map<string, string>()
  const connections = new Set<{ close(): void }>()

  const issue = (sub: string) => {
    const refreshToken = randomUUID()
    refreshTokens.set(refreshToken, sub)
    const jwtid = String(++number)
    const accessToken = jwt.sign({}, secret, { subject: sub, expiresIn: lifeSeconds, jwtid })
    return { accessToken, refreshToken, expiresIn: lifeSeconds, user: { id: sub } }
  }

  const verify = (token: unknown): Known | null => {
    try {
      const known = jwt.verify(String(token), secret) as Known
      if (Number(known.jti) > oldest) return known
    } catch {
      // Counted below, as any other refusal.
    }
    refused++
    return null
  }

  /** Until its token expires. @returns what ends the count. */
  const join = (kind: string, { sub, exp, jti }: Known, close: () => void) => {
    joined.push(`${kind} ${sub} ${jti}`)
    const connection = { close }
    connections.add(connection)
    const timer = setTimeout(close, exp * 1000 - Date.now())
    return () => {
      clearTimeout(timer)
      connections.delete(connection)
    }
  }

  // The token as a subprotocol: refused at the handshake.
  const byProtocol = new WebSocketServer({ noServer: true, handleProtocols: () => 'access_token' })
  // The token as the first message: refused with 4401.
  const byHello = new WebSocketServer({ noServer: true })

  const greet = (socket: WebSocket, kind: string, known: Known) => {
    const leave = join(kind, known, () => socket.close(4401, 'expired'))
    socket.on('close', (code) => {
      codes.push(code)
      leave()
    })
    socket.on('message', (data) => socket.send(`echo ${textOf(data)}`))
    socket.send(`hello ${known.sub}`)
  }
  byHello.on('connection', (socket) => {
    socket.once('message', (data) => {
      const known = verify(textOf(data))
      if (known) greet(socket, 'hello', known)
      else socket.close(4401, 'refused')
    })
  })

  const graphQl = new WebSocketServer({ noServer: true })
  const schema = new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { me: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({
      name: 'Subscription',
      fields: {
        tick: {
          type: GraphQLInt,
          async *subscribe() {
            for (let tick = 1; ; tick++) {
              yield { tick }
              await new Promise((done) => setTimeout(done, 50))
            }
          },
        },
      },
    }),
  })
  useServer(
    {
      schema,
      onConnect({ connectionParams, extra }) {
        const known = verify(connectionParams?.['accessToken'])
        if (!known) return false // closes with 4403
        const { socket } = extra
        socket.on(
          'close',
          join('graphql', known, () => socket.close(4403, 'expired')),
        )
        return true
      },
    },
    graphQl,
  )

  const io = new SocketIo({ serveClient: false })
  io.use((socket, next) => {
    const known = verify(socket.handshake.auth['token'])
    if (!known) return next(new Error('unauthorized'))
    urls.push(socket.handshake.url)
    socket.on(
      'disconnect',
      join('socket.io', known, () => socket.disconnect(true)),
    )
    next()
  })
  io.on('connection', (socket) => {
    socket.emit('hello')
  })

  const answer = async (...[request, response]: Parameters<RequestListener>): Promise<unknown> => {
    const say = (status: number, body?: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body))
    urls.push(request.url!)
    if (request.url === '/auth/login')
      return say(200, issue(((await json(request)) as { user: string }).user ?? `u${++session}`))
    if (request.url === '/auth/refresh') {
      const { refreshToken } = (await json(request)) as { refreshToken: string }
      const sub = refreshTokens.get(refreshToken)
      refreshTokens.delete(refreshToken)
      return sub ? say(200, issue(sub)) : say(401)
    }
    if (request.url === '/auth/logout') return say(204)
    const known = verify(request.headers.authorization?.slice(7))
    if (!known) return say(401)
    if (request.url !== '/events') return say(200, { sub: known.sub })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const since = Number(request.headers['last-event-id'] ?? 0)
    response.write(`retry: 100\nid: ${since + 1}\ndata: ${known.sub} ${since + 1}\n\n`)
    return response.on(
      'close',
      join('events', known, () => response.end()),
    )
  }

  const upgrade = (request: IncomingMessage, socket: import('node:stream').Duplex, head: Buffer) => {
    if (request.url!.startsWith('/socket.io')) return
    urls.push(request.url!)
    if (request.url === '/graphql')
      return graphQl.handleUpgrade(request, socket, head, (ws) => graphQl.emit('connection', ws, request))
    if (request.url === '/hello')
      return byHello.handleUpgrade(request, socket, head, (ws) => byHello.emit('connection', ws))
    const [name, token] = (request.headers['sec-websocket-protocol'] ?? '').split(/, */)
    const known = name === 'access_token' && verify(token)
    if (!known) return void socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    byProtocol.handleUpgrade(request, socket, head, (ws) => greet(ws, 'protocol', known))
  }

  return {
    listen: (...args: Parameters<RequestListener>) => void answer(...args),
    attach(http: import('node:http').Server) {
      http.on('upgrade', upgrade)
      io.attach(http)
    },
    renews: ({ url }: { url?: string | undefined }) => url === '/auth/refresh',
    controls: {
      /** Every token up to now is refused, and each connection is closed. */
      expire() {
        oldest = number
        for (const { close } of connections) close()
      },
      living: () => connections.size,
      joined: () => joined,
      urls: () => urls,
      refused: () => refused,
      codes: () => codes,
      reset() {
        for (const { close } of connections) close()
        ;[joined, urls, codes, refused] = [[], [], [], 0]
      },
    },
  }
}

await serve(create)
