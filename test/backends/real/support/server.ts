// Starts a server of `../servers` as a process of its own, since such software keeps state of its process, and talks to it
// beside HTTP. And that server as the contract wants it: every request really goes over a socket.

import { fork } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'
import { PAGE, type Handle } from '../../browser.ts'
import type { Stand } from '../../contract.ts'
import { API } from '../../stand-in.ts'
import type { Controls, Shared } from './child.ts'
import { defer } from '../../../support/defer.ts'

type Remote<C> = {
  [K in keyof C]: C[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never
}

export interface RealServer<C extends Controls = Controls> {
  /** On 127.0.0.1, at a port that was free. */
  readonly origin: string
  readonly control: Remote<C & Shared>
}

const folder = join(import.meta.dirname, '..')

/** For the tests of this file or `describe`. @param name Of the file in `../servers`. */
export function useServer<C extends Controls>(name: string, options: object = {}): RealServer<C> {
  const waiting = new Map<number, { resolve(value: any): void; reject(error: Error): void }>()
  let [origin, lastId] = ['', 0]
  let child: ReturnType<typeof fork>

  beforeAll(async () => {
    // Inside the package that the software belongs to, so that it is found.
    const place = await mkdtemp(join(folder, 'node_modules/.server-'))
    const file = join(place, `${name}.mjs`)
    const { outputFiles } = await build({
      entryPoints: [join(folder, `servers/${name}.ts`)],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
    })
    await writeFile(file, outputFiles[0]!.text)
    const started = defer<string>()
    child = fork(file, { silent: true, execArgv: [], env: { ...process.env, RESESH_OPTIONS: JSON.stringify(options) } })
    let said = ''
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (data) => ((said += String(data)), process.stderr.write(data)))
    child.on('message', (message: { origin?: string; id: number; value?: unknown; error?: string }) => {
      if (message.origin) return started.resolve(message.origin)
      const call = waiting.get(message.id)
      waiting.delete(message.id)
      if (message.error) call?.reject(new Error(`${name}: ${message.error}`))
      else call?.resolve(message.value)
    })
    const gone = new Promise<never>((_, reject) =>
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code}\n${said}`))),
    )
    gone.catch((error: Error) => waiting.forEach(({ reject }) => reject(error)))
    origin = await Promise.race([started.promise, gone])
    await rm(place, { recursive: true })
  })

  afterAll(async () => {
    if (!child || child.exitCode !== null) return
    const gone = new Promise((done) => child.once('exit', done))
    child.kill()
    await gone
  })

  const control = new Proxy({} as Remote<C & Shared>, {
    get:
      (_, called: string) =>
      (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          waiting.set(++lastId, { resolve, reject })
          child.send({ id: lastId, name: called, args })
        }),
  })
  return {
    get origin() {
      return origin
    },
    control,
  }
}

/** What a page's request is over a real socket. */
const overHttp =
  ({ origin }: { readonly origin: string }): Handle =>
  async (request, { cookie }) => {
    const { pathname, search } = new URL(request.url)
    const { method, signal } = request
    const headers = new Headers(request.headers)
    headers.set('origin', PAGE)
    if (cookie) headers.set('cookie', cookie)
    const body = method === 'GET' || method === 'HEAD' ? null : await request.arrayBuffer()
    try {
      return await fetch(origin + pathname + search, { method, headers, body, signal, redirect: 'manual' })
    } catch {
      return 'drop'
    }
  }

/** A contract's stand over a real server, fresh: `own` is what only it can say. */
export const standOver = <C extends Controls, T extends Omit<Stand, 'handle' | 'profile' | 'refreshes' | 'fail'>>(
  server: RealServer<C>,
  own: T & Partial<Stand>,
): Stand & T & { server: RealServer<C> } => {
  const control: Remote<Shared> = server.control
  const fresh = control.reset()
  const handle = overHttp(server)
  const shared = {
    server,
    handle: async (...args: Parameters<Handle>) => {
      await fresh
      return handle(...args)
    },
    profile: `${API}/api/me`,
    options: { origins: [API] },
    fail: control.fail,
    get refreshes() {
      return control.refreshes()
    },
  }
  return Object.defineProperties(shared, Object.getOwnPropertyDescriptors(own)) as unknown as Stand &
    T & { server: RealServer<C> }
}
