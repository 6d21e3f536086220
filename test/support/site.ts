// Any other site: it answers everybody, sends on whom it is told to, and keeps word for word what reached it.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface Site {
  readonly origin: string
  /** Each request as it came: method, URL, headers, body. But for preflights. */
  readonly log: readonly string[]
  /** A URL here that leads on to the next one. */
  to(next: string): string
}

export const openSite = async (): Promise<Site> => {
  const log: string[] = []
  const serve = async (message: IncomingMessage, response: ServerResponse) => {
    const { method, url = '', headers, rawHeaders } = message
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', headers['access-control-request-headers'] ?? '*')
    if (method === 'OPTIONS') return void response.end()
    log.push([method, url, ...rawHeaders, await text(message)].join('\n'))
    const to = new URL(url, 'http://here').searchParams.get('to')
    if (to) response.writeHead(302, { location: to })
    else response.writeHead(url.startsWith('/401') ? 401 : 200, { 'content-type': 'application/json' })
    response.end('{}')
  }
  const http = createServer((message, response) => void serve(message, response))
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return { origin, log, to: (next) => `${origin}/go?to=${encodeURIComponent(next)}` }
}
