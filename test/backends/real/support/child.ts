// Real server software as a process of its own. In front of it, within the same process, a layer that counts the calls that
// renew, makes them fail, holds them back, serves the test's own pages, and moves this process's clock ahead.

import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { drop } from '../../../servers/sample/node.ts'
import type { Fault } from '../../../servers/vendors/stand-in.ts'
import { defer } from '../../../support/defer.ts'

/** What a test may tell a server to do: arguments and answers that are JSON. */
export type Controls = Record<string, (...args: any[]) => unknown>

export interface Software<C extends Controls = Controls> {
  listen: RequestListener
  /** For what listens to more than requests. */
  attach?(http: Server): void
  /** Whether a request renews credentials. */
  renews(message: IncomingMessage): boolean
  /** `reset`, if it is there, runs before each test. */
  controls: C
}

/** What every server can be told. */
export type Shared = ReturnType<typeof layer>['controls']

let ahead = 0
const RealDate = Date
const now = (): number => RealDate.now() + ahead
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args) => Reflect.construct(target, args.length ? args : [now()]) as Date,
  apply: () => new Date().toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)) as unknown,
})

interface Gate {
  id: number
  path: string
  arrived: ReturnType<typeof defer<void>>
  opened: ReturnType<typeof defer<void>>
}

function layer() {
  const faults: Fault[] = []
  const pages = new Map<string, { type: string; body: string }>()
  const gates: Gate[] = []
  const held = new Map<number, Gate>()
  let [refreshes, lastId] = [0, 0]

  const release = (id: number): void => held.get(id)?.opened.resolve()
  const controls = {
    /** What the next calls that renew meet, one each. */
    fail: (...next: Fault[]) => void faults.push(...next),
    /** How many calls meant to renew. */
    refreshes: () => refreshes,
    /** Time passes here, and nowhere else. */
    pass: (ms: number) => void (ahead += ms),
    /** The next request to this path is handled, and its answer waits for `release`. */
    hold(path: string) {
      const gate: Gate = { id: ++lastId, path, arrived: defer(), opened: defer() }
      gates.push(gate)
      held.set(gate.id, gate)
      return gate.id
    },
    arrived: (id: number) => held.get(id)!.arrived.promise,
    release,
    /** From now on this path answers with this. */
    put: (path: string, type: string, body: string) => void pages.set(path, { type, body }),
    reset() {
      held.forEach(({ id }) => release(id))
      held.clear()
      gates.length = faults.length = 0
      refreshes = 0
    },
  }

  /** @returns whether the request never gets to the software. */
  const meet = (...[message, response]: Parameters<RequestListener>): boolean => {
    const fault = faults.shift()
    if (fault === undefined) return false
    message.resume()
    if (fault === 'network') drop(message)
    else response.writeHead(fault === 'html' ? 200 : fault, { 'content-type': 'text/html' }).end('<h1>Oh no</h1>')
    return true
  }

  const around =
    ({ listen, renews }: Software): RequestListener =>
    (message, response) => {
      const path = message.url!.replace(/[?#].*/, '')
      const page = pages.get(path)
      if (page) return void response.writeHead(200, { 'content-type': page.type }).end(page.body)
      if (renews(message)) {
        refreshes++
        if (meet(message, response)) return
      }
      const place = gates.findIndex((each) => each.path === path)
      const [gate] = place < 0 ? [] : gates.splice(place, 1)
      if (gate) {
        const end = response.end.bind(response) as (...args: unknown[]) => void
        response.end = (...args: unknown[]) => {
          gate.arrived.resolve()
          void gate.opened.promise.then(() => end(...args))
          return response
        }
      }
      return listen(message, response)
    }

  return { controls, around }
}

/** Makes this process that server. `origin` is where it listens, `options` what the test asked for. */
export async function serve<C extends Controls, O>(
  create: (origin: string, options: O) => Software<C> | Promise<Software<C>>,
): Promise<void> {
  const { controls, around } = layer()
  const http = createServer()
  await new Promise<void>((done, fail) => http.once('error', fail).listen(0, '127.0.0.1', done))
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const software = await create(origin, JSON.parse(process.env['RESESH_OPTIONS']!) as O)
  http.on('request', around(software))
  software.attach?.(http)

  const known: Controls = {
    ...controls,
    ...software.controls,
    async reset() {
      controls.reset()
      await software.controls['reset']?.()
    },
  }
  process.on('message', ({ id, name, args }: { id: number; name: string; args: unknown[] }) => {
    void (async () => {
      try {
        process.send!({ id, value: await known[name]!(...args) })
      } catch (error) {
        process.send!({ id, error: String(error) })
      }
    })()
  })
  process.once('disconnect', () => process.exit()) // never outlives its test
  process.send!({ origin })
}
