// The code of the README, the guide and the backends' pages is code: each ```ts block has to compile against src/, and each ```ts run block has to run, in a
// process that looks like a page of the sample server: `location` is set, and `fetch` takes relative URLs.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'
import { listen } from '../servers/sample/node.ts'
import { createSampleServer } from '../servers/sample/server.ts'
import { aliases } from '../setup/aliases.mjs'
import { entry } from '../../tsup.config.ts'
import real from '../backends/real/package.json' with { type: 'json' }

// What a block may use without declaring it: an app around it. A block's own declaration hides it.
const app = `
  import type { Session } from 'resesh'
  declare global {
    const session: Session<Record<string, unknown>, Record<string, unknown>>
    const accessToken: string
    const refreshToken: string
    function render(...what: unknown[]): void
    function askForSecondFactor(challenge: object): Promise<boolean>
    function openSignInDialog(): void
    interface ImportMeta {
      readonly env: { readonly DEV: boolean }
    }
  }
`

const react = `
  declare module 'react' {
    export function useSyncExternalStore<T>(subscribe: (run: () => void) => () => void, get: () => T, onServer: () => T): T
  }
`

// As much of each vendor's types as the pages use.
const vendors = `
  declare module 'firebase/auth' {
    interface User { uid: string; getIdToken(forceRefresh?: boolean): Promise<string> }
    interface Auth { readonly currentUser: User | null; authStateReady(): Promise<void>; signOut(): Promise<void> }
    export function getAuth(): Auth
    export function onIdTokenChanged(auth: Auth, next: (user: User | null) => void): () => void
  }
  declare module '@azure/msal-browser' {
    interface AccountInfo { homeAccountId: string; localAccountId: string; name?: string }
    interface SilentRequest { scopes: string[]; account?: AccountInfo; forceRefresh?: boolean }
    export class InteractionRequiredAuthError extends Error {}
    export class PublicClientApplication {
      constructor(configuration: { auth: { clientId: string } })
      initialize(): Promise<void>
      getActiveAccount(): AccountInfo | null
      acquireTokenSilent(request: SilentRequest): Promise<{ accessToken: string; expiresOn: Date | null }>
      addEventCallback(callback: (message: { eventType: string }) => void): string | null
      removeEventCallback(callbackId: string): void
      logoutRedirect(): Promise<void>
    }
  }
  declare module 'aws-amplify/auth' {
    interface JWT { payload: object; toString(): string }
    export function fetchAuthSession(options?: { forceRefresh?: boolean }): Promise<{ tokens?: { accessToken: JWT; idToken?: JWT } }>
    export function signOut(): Promise<void>
  }
  declare module 'aws-amplify/utils' {
    export const Hub: { listen(channel: 'auth', callback: (data: { payload: { event: string } }) => void): () => void }
  }
  declare module '@auth0/auth0-spa-js' {
    interface Auth0Client {
      isAuthenticated(): Promise<boolean>
      getTokenSilently(options?: { cacheMode?: 'on' | 'off' | 'cache-only' }): Promise<string>
      logout(): Promise<void>
    }
    interface Auth0ClientOptions { domain: string; clientId: string; cacheLocation?: 'memory' | 'localstorage'; useRefreshTokens?: boolean }
    export function createAuth0Client(options: Auth0ClientOptions): Promise<Auth0Client>
  }
  declare module 'graphql-ws' {
    interface ClientOptions {
      url: string
      connectionParams?: () => Promise<Record<string, unknown>>
      retryAttempts?: number
      shouldRetry?: (error: unknown) => boolean
      on?: { connected?: () => void; closed?: (event: unknown) => void }
    }
    export function createClient(options: ClientOptions): { dispose(): void | Promise<void> }
  }
  declare module 'socket.io-client' {
    interface Socket {
      readonly active: boolean
      connect(): this
      disconnect(): this
      on(event: string, listener: (reason: string) => void): this
    }
    export function io(url: string, options: { auth: (send: (data: object) => void) => void }): Socket
  }
  declare module '@microsoft/fetch-event-source' {
    interface Init extends RequestInit {
      fetch?: typeof fetch
      onmessage?: (event: { data: string }) => void
      onclose?: () => void
      onerror?: (error: unknown) => number | undefined | void
    }
    export function fetchEventSource(url: string, init: Init): Promise<void>
  }
`

const tab = `
  const { fetch } = globalThis
  const { href } = globalThis.location = new URL(process.env.ORIGIN + '/')
  globalThis.fetch = (input, init) => fetch(typeof input === 'string' ? new URL(input, href) : input, init)
  await import('./BLOCK')
  process.exit()
`

const root = join(import.meta.dirname, '../..')
// Inside the checkout, so that packages are found as from src/.
const folder = join(root, `node_modules/.cache/resesh-readme-${process.pid}`)

// A backend's page is beside its file.
const ofBackends = Object.entries(entry).filter(([name]) => name.startsWith('backends/') && name !== 'backends/kit')
// Where `resesh/step-up` and the like lie below src/.
const folders = ['', 'extensions/', 'adapters/']
const pages = ofBackends.map(([, source]) => source.replace(/ts$/, 'md'))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

interface Block {
  page: string
  /** Where its code begins. */
  line: number
  file: string
  code: string
  runs: boolean
  /** What its lines `console.log(…) // …` say is printed. */
  printed: string[]
}

const blocksOf = (page: string, text: string): Block[] =>
  Array.from(text.matchAll(/^```ts( run)?\n(.*?)^```$/gms), ({ 1: run, 2: code = '', index }) => {
    const line = text.slice(0, index).split('\n').length + 1
    return {
      page,
      line,
      file: `${page.replaceAll(/\W/g, '-')}-${line}.ts`,
      code: `${code}\nexport {}\n`,
      runs: run !== undefined,
      printed: Array.from(code.matchAll(/^\s*console\.log\(.*\)\s*\/\/ (.+)$/gm), ([, said = '']) => said.trim()),
    }
  })

const guide = readdirSync(join(root, 'demo/guide'))
  // Those pages need the frameworks: see test/frameworks/guide.test.ts, and apps.test.ts beside this file.
  .filter((file) => file.endsWith('.md') && !['frameworks.md', 'server-rendering.md'].includes(file))
  .map((file) => `demo/guide/${file}`)

const blocks = [
  'README.md',
  'skills/resesh/SKILL.md',
  ...guide,
  ...pages.filter((page) => existsSync(join(root, page))),
].flatMap((page) => blocksOf(page, read(page)))

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'app.ts'), app)
writeFileSync(join(folder, 'react.d.ts'), react)
writeFileSync(join(folder, 'vendors.d.ts'), vendors)
for (const { file, code } of blocks) writeFileSync(join(folder, file), code)

test('every block compiles', { timeout: 60_000 }, () => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const program = ts.createProgram(
    [
      join(folder, 'app.ts'),
      join(folder, 'react.d.ts'),
      join(folder, 'vendors.d.ts'),
      ...blocks.map(({ file }) => join(folder, file)),
    ],
    {
      ...options,
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      skipLibCheck: true,
      paths: { resesh: [join(root, 'src/index.ts')], 'resesh/*': folders.map((each) => join(root, `src/${each}*.ts`)) },
    },
  )
  const problems = ts.getPreEmitDiagnostics(program).map(({ start = 0, file, messageText }) => {
    const block = blocks.find((one) => file?.fileName.endsWith(`/${one.file}`))
    const place = block
      ? `${block.page}:${block.line + file!.getLineAndCharacterOfPosition(start).line}`
      : file?.fileName
    return `${place} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
  expect(problems).toEqual([])
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe("each backend's page", () => {
  const parts = ['Supported', 'What the server sends', 'Traps', 'Tested against']

  test.each(pages)('%s begins with code that starts it, and says the rest', (page) => {
    const text = read(page)
    const [name] = /[^/]+(?=\.md$)/.exec(page)!
    const [first] = blocksOf(page, text)
    expect(text).toMatch(new RegExp(`^# ${name}\n`))
    expect(first!.line).toBeLessThan(8)
    expect(first!.code).toContain(`resesh/backends/${name}'`)
    expect(first!.code).toMatch(/createSession[<(]/)
    const titles = Array.from(text.matchAll(/^## (.+)$/gm), ([, title = '']) => title)
    expect(titles.filter((title) => parts.includes(title))).toEqual(parts)
    expect(read('README.md')).toContain(`(${page})`)
  })

  test('what it says of a version is the version that the tests run', () => {
    const said = ['README.md', ...pages].flatMap((page) =>
      Object.entries(real.devDependencies).flatMap(([name, version]) =>
        Array.from(read(page).matchAll(new RegExp(`(?<![\\w/@-])${name} (\\d+\\.\\d+\\.\\d+)`, 'g')), ([, each]) => ({
          page,
          name,
          is: each,
          should: version,
        })),
      ),
    )
    expect(said.length).toBeGreaterThan(4)
    expect(said.filter(({ is, should }) => is !== should)).toEqual([])
  })
})

describe('what is marked `run` runs', () => {
  const bundle = (block: Block) =>
    build({
      stdin: { contents: tab.replace('BLOCK', block.file), resolveDir: folder, loader: 'ts' },
      outfile: join(folder, block.file.replace('.ts', '.mjs')),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      plugins: [
        {
          name: 'resesh',
          setup(esbuild) {
            esbuild.onResolve({ filter: /^resesh(\/|$)/ }, ({ path }) => ({
              path: aliases('src').find(({ find }) => find.test(path))!.replacement,
            }))
          },
        },
      ],
    })

  for (const block of blocks.filter(({ runs }) => runs)) {
    test(`${block.page}, line ${block.line}`, async () => {
      await bundle(block)
      const server = await listen(createSampleServer())
      try {
        const script = join(folder, block.file.replace('.ts', '.mjs'))
        const { stdout } = await promisify(execFile)(process.execPath, [script], {
          env: { ...process.env, ORIGIN: server.origin },
          timeout: 10_000,
        })
        if (block.printed.length > 0) expect(stdout.trimEnd().split('\n')).toEqual(block.printed)
      } finally {
        await server.close()
      }
    })
  }

  test('there is such a block', () => {
    expect(blocks.some(({ runs }) => runs)).toBe(true)
  })
})
