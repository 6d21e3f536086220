// The source with one line changed, so that an oracle has something to find: one that finds nothing proves nothing.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { Sdk } from './stage.ts'

export interface Mutant {
  readonly name: string
  /** Below src. */
  readonly file: string
  readonly replace: string
  readonly by: string
  /** Who may notice. */
  readonly oracles: readonly string[]
}

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** @throws where the line isn't there (any more): the mutant is to be written anew. */
const changing = ({ name, file, replace, by }: Mutant): Plugin => ({
  name: 'mutant',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (path !== `${root}src/${file}`) return undefined
      const text = await readFile(path, 'utf8')
      if (text.split(replace).length !== 2) throw new Error(`${name}: not exactly once in ${file}: ${replace}`)
      return { contents: text.replace(replace, () => by), loader: 'ts' }
    })
  },
})

export async function sdkOf(mutant: Mutant): Promise<Sdk> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { createSession } from './src/index.ts'
        export { bearer } from './src/backends/bearer.ts'`,
      resolveDir: root,
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
    plugins: [changing(mutant)],
  })
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64')
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as Sdk
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'nobody takes the lock',
    file: 'platform/tabs.ts',
    replace: `if (!get('navigator')?.locks) return release`,
    by: 'return release',
    oracles: ['I1', 'I2', 'I26'],
  },
  {
    name: 'nobody looks first whether it is done already',
    file: 'core/record.ts',
    replace: `if (isDone && !asked.alone) return 'adopt'`,
    by: '',
    oracles: ['I10'],
  },
  {
    name: 'nobody heeds the journal of an attempt whose outcome is unknown',
    file: 'core/record.ts',
    replace: `return sent && now >= sent.first + replayWindow && now < sent.deadline ? sent.deadline : 'send'`,
    by: `return 'send'`,
    oracles: ['I1', 'I2'],
  },
  {
    name: 'whoever comes late may write',
    file: 'core/record.ts',
    replace: '!!record?.signedIn && record.attempt === attempt && record.version.generation === version.generation',
    by: '!!record',
    oracles: ['I5', 'I21'],
  },
  {
    name: 'whoever was overtaken by a later attempt may write',
    file: 'core/record.ts',
    replace: 'record.attempt === attempt &&',
    by: '',
    oracles: ['I21'],
  },
  {
    name: 'a page that slept after the journal sends all the same',
    file: 'flow/refresh.ts',
    replace: 'Math.abs(now() - sent!.at) > timeout / 4',
    by: 'false',
    oracles: ['I1', 'I2', 'I26'],
  },
  {
    name: 'what a backend keeps counts as all of it',
    file: 'flow/refresh.ts',
    replace: 'commit(credentials, undefined, false)',
    by: 'commit(credentials)',
    oracles: ['I14'],
  },
  {
    name: 'what a backend keeps is written only at the end',
    file: 'flow/refresh.ts',
    replace: '=> void (keeping = commit(credentials, undefined, false).catch(() => null))',
    by: '=> void credentials',
    oracles: ['I2', 'I26'],
  },
  {
    name: 'a transient failure ends the session',
    file: 'backends/bearer.ts',
    replace: 'response.status === 401 || response.status === 403 ?',
    by: '!response.ok ?',
    oracles: ['I8'],
  },
  {
    name: 'a sign-out opens no generation',
    file: 'core/record.ts',
    replace: 'opened(record, { reason, untold })',
    by: '({ ...record, signedIn: false, reason, untold })',
    oracles: ['I5', 'I6', 'I15'],
  },
  {
    name: 'a tab that signed out still attaches its token',
    file: 'flow/store.ts',
    replace: `if (event.type === 'signed-out') credentials = life = null`,
    by: '',
    oracles: ['I5'],
  },
  {
    name: 'older news are taken for newer',
    file: 'flow/store.ts',
    replace: '!isNewer(version, tab.version)',
    by: 'false',
    oracles: ['I5', 'I6', 'I15'],
  },
  {
    name: 'whoever forces a refresh joins the one that runs',
    file: 'core/transition.ts',
    replace: '(!forced || place > 0)',
    by: 'true',
    oracles: ['I14'],
  },
  {
    name: 'a request is sent again after a network error',
    file: 'flow/intercept.ts',
    replace: 'await dispatch(request, id, isOwn, sends)',
    by: 'await dispatch(request, id, isOwn, sends).catch(() => dispatch(request, id, isOwn, sends))',
    oracles: ['I4', 'I16'],
  },
  {
    name: 'what one user asked for is sent as another',
    file: 'flow/intercept.ts',
    replace: 'if (isSameSession(begunWith, store.tab.version)) return false',
    by: 'return false',
    oracles: ['I13'],
  },
  {
    name: 'an abort frees nobody',
    file: 'wait.ts',
    replace: 'if (!signal) return work',
    by: 'return work',
    oracles: ['I16'],
  },
  {
    name: 'credentials go everywhere',
    file: 'flow/origins.ts',
    replace: 'allowed.includes(new URL(url, against).origin)',
    by: 'true',
    oracles: ['I7'],
  },
  {
    name: 'a trace tells the credentials',
    file: 'flow/refresh.ts',
    replace: `events.trace('refresh-start', {`,
    by: `events.trace('refresh-start', { held,`,
    oracles: ['I19'],
  },
  {
    name: 'nobody hears of a refresh whose callers have left',
    file: 'flow/flights.ts',
    replace: 'outcome.catch(() => {}) // everybody may have left',
    by: '',
    oracles: ['I23'],
  },
  {
    name: 'a page that wakes reads nothing',
    file: 'flow/schedule.ts',
    replace: 'await store.sync()',
    by: '',
    oracles: ['I3', 'I15'],
  },
  {
    name: 'a turn never ends',
    file: 'flow/turn.ts',
    replace: 'release()',
    by: '',
    oracles: ['I3', 'I11'],
  },
]
