// What only React has: a provider, and hot reload by Vite.

import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import react from '@vitejs/plugin-react'
import { createServer } from 'vite'
import { expect, onTestFinished, test } from 'vitest'
import { toNode } from '../servers/sample/node.ts'
import { createSampleServer, isSamplePath } from '../servers/sample/server.ts'
import { aliases } from '../setup/aliases.mjs'
import { useSites } from './support/browser.ts'
import { bundle, folder } from './support/bundle.ts'

const site = useSites({ mayComplain: /SessionProvider|error boundary|React will try/ })

test.each([19, 18] as const)(
  'React %i: a provider hands its session down, another one in its place is taken, none is an error',
  async (version) => {
    const script = await bundle(`import './pages/provider.tsx'`, { react: version })
    const page = await (await site({ script })).open()
    const texts = () => page.locator('b,i,u,s,em').allInnerTexts()
    await page.locator('em').waitFor()
    expect(await texts()).toEqual([
      'first',
      'authenticated',
      'first',
      'second',
      'session is missing: use useSession(session), or put a <SessionProvider> above',
    ])
    await page.getByText('Switch').click()
    await expect.poll(texts).toEqual(['second', 'authenticated', 'second', 'second', expect.any(String)])
  },
)

const packages = ['react', 'react-dom'].map((name) => ({
  find: new RegExp(`^${name}(?=/|$)`),
  replacement: join(folder, 'node_modules', name),
}))

const sessionFile = `
import { createSession } from 'resesh'
import { bearer } from 'resesh/backends/bearer'

function open() {
  const session = createSession({ backend: bearer({ refreshUrl: '/auth/refresh', userUrl: '/auth/user' }) })
  session.signIn(async ({ fetch }) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ username: 'ann', password: 'secret' })
    return (await fetch('/auth/login', { method: 'POST', headers, body })).json()
  })
  const { subscribe } = session
  globalThis.listeners = 0
  session.subscribe = (run) => {
    listeners++
    const undo = subscribe(run)
    return () => (listeners--, undo())
  }
  return session
}

export const session = import.meta.hot?.data.session ?? open()
if (import.meta.hot) import.meta.hot.data.session = session

globalThis.seen = [...(globalThis.seen ?? []), session]
`
const appFile = `
import { useState } from 'react'
import { useSession } from 'resesh/react'
import { session } from './session.ts'

export function App() {
  const user = useSession(session, ({ user }) => ({ name: user?.name }))
  const [count, setCount] = useState(0)
  return <button onClick={() => setCount(count + 1)}>Hello {user.name} {count}</button>
}
`
const mainFile = `
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'

createRoot(document.querySelector('#app')).render(<App />)
`

test(
  'hot reload: a component and the module of the session are replaced; session, state and listeners are as before',
  { timeout: 60_000 },
  async () => {
    // Outside node_modules, whose files nobody watches.
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'resesh-hot-')))
    const write = (name: string, text: string) => writeFileSync(join(root, name), text)
    write('index.html', '<!doctype html><div id="app"></div><script type="module" src="/main.tsx"></script>')
    write('session.ts', sessionFile)
    write('App.tsx', appFile)
    write('main.tsx', mainFile)
    const sample = toNode(createSampleServer())
    const http = createHttp((message, response) => {
      if (isSamplePath(message.url!)) void sample(message, response)
      else vite.middlewares(message, response)
    })
    const vite = await createServer({
      root,
      configFile: false,
      logLevel: 'silent',
      cacheDir: join(root, '.vite'),
      plugins: [react()],
      resolve: { alias: [...aliases('src'), ...packages] },
      optimizeDeps: { include: ['react', 'react-dom/client', 'react/jsx-dev-runtime'], noDiscovery: true },
      server: {
        middlewareMode: true,
        hmr: { server: http },
        fs: { strict: false },
        watch: { usePolling: true, interval: 50 },
      },
      appType: 'spa',
    })
    onTestFinished(async () => {
      await vite.close()
      http.closeAllConnections()
      http.close()
      rmSync(root, { recursive: true, force: true })
    })
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done))
    const { open } = await site({ script: '', origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}` })
    const page = await open()
    const look = () => page.evaluate('[seen.length, new Set(seen).size, listeners]')

    await page.getByText('Hello Ann 0').click()
    await page.getByText('Hello Ann 1').waitFor()
    expect(await look()).toEqual([1, 1, 1])

    write('App.tsx', appFile.replace('Hello', 'Good day'))
    await page.getByText('Good day Ann 1').waitFor()
    expect(await look()).toEqual([1, 1, 1])

    write('session.ts', `${sessionFile}// edited`)
    await expect.poll(look).toEqual([2, 1, 1])
    await page.getByText('Good day Ann 1').click()
    await page.getByText('Good day Ann 2').waitFor()
    expect(await look()).toEqual([2, 1, 1])
  },
)
