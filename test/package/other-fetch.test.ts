// Where the global fetch has more to it than to be called, as Bun's has `preconnect`: session.fetch stands in for it, and a bare
// function may be handed in.

import { join } from 'node:path'
import ts from 'typescript'
import { installFetch } from 'resesh/install-fetch'
import { expect, test } from 'vitest'
import { setup, url } from '../support/session.ts'

const root = join(import.meta.dirname, '../..')
const place = join(root, 'test/package/as-in-bun.ts')

const code = `
  declare global {
    namespace fetch {
      function preconnect(url: string | URL, options?: { dns?: boolean }): void
    }
  }
  import { createSession, defineBackend } from 'resesh'
  import { hiddenRedirect } from 'resesh/expired'
  import { installFetch } from 'resesh/install-fetch'

  const bare = async (input: RequestInfo | URL, init?: RequestInit) => new Response(String(input) + init?.method)
  const backend = defineBackend({ refresh: async (_held, io) => ({ data: { preconnect: take(io.fetch) } }) })
  const session = createSession({ backend, platform: { fetch: bare }, isExpired: hiddenRedirect() })
  function take(given: typeof fetch) { given.preconnect('https://api.example.test') }
  take(session.fetch)
  installFetch(session)
  installFetch(session, globalThis)
  installFetch(session, { fetch: bare })
  void session.fetch('/a', { session: { replay: 'never' } })
  void session.signIn(async ({ fetch }) => take(fetch))
  createSession({ backend, isExpired: Object.assign(() => false, { around: (real: typeof fetch) => (i: RequestInfo | URL) => real(i) }) })
  // @ts-expect-error: a bare function is no such fetch
  take(bare)
`

test('its types fit, both ways', () => {
  const { options } = ts.getParsedCommandLineOfConfigFile(join(root, 'test/tsconfig.json'), undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: ({ messageText }) =>
      expect.unreachable(ts.flattenDiagnosticMessageText(messageText, '\n')),
  })!
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (name, ...rest) =>
    name === place ? ts.createSourceFile(name, code, ts.ScriptTarget.ESNext) : getSourceFile.call(host, name, ...rest)
  const program = ts.createProgram([place], options, host)
  const found = program.getSemanticDiagnostics(program.getSourceFile(place))
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
})

test('what it has beside is there, of session.fetch and of a patched fetch', async () => {
  const fetch = Object.assign(async () => new Response(), { preconnect: (to: string) => to })
  const { session } = await setup({ platform: { fetch } })
  expect((session.fetch as unknown as typeof fetch).preconnect(url('/'))).toBe(url('/'))
  const target = { fetch }
  const undo = installFetch(session, target)
  expect(target.fetch).not.toBe(fetch)
  expect(target.fetch.preconnect(url('/'))).toBe(url('/'))
  undo()
  expect(target.fetch).toBe(fetch)
})
