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
  /** One that shows it; where it does so no more, another is looked for. */
  readonly seed: number
}

const root = fileURLToPath(new URL('../..', import.meta.url))

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

/** In one piece. */
export async function sdkOf(mutant?: Mutant): Promise<Sdk> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { createSession } from './src/index.ts'
        export { bearer } from './src/backends/bearer.ts'
        export { custom } from './src/storage/custom.ts'`,
      resolveDir: root,
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
    plugins: mutant ? [changing(mutant)] : [],
  })
  const code = Buffer.from(outputFiles[0]!.contents).toString('base64')
  return (await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as Sdk
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'nobody keeps the lock',
    file: 'runtime/locks.ts',
    replace: 'resolve(release)',
    by: 'resolve(release), done()',
    oracles: ['I1', 'I2', 'I26'],
    seed: 8,
  },
  {
    name: 'nobody looks first whether it is done already',
    file: 'state/plan.ts',
    replace: `if (asked.shareKey === undefined && isDone(record, asked)) return 'adopt'`,
    by: '',
    oracles: ['I10'],
    seed: 0,
  },
  {
    name: 'nobody heeds the journal of an attempt whose outcome is unknown',
    file: 'state/plan.ts',
    replace: `return mayBeUnderWay ? sent.deadline : 'send'`,
    by: `return 'send'`,
    oracles: ['I1', 'I2'],
    seed: 0,
  },
  {
    name: 'a frozen page counts as gone',
    file: 'runtime/locks.ts',
    replace: 'all.find(isAttempt)',
    by: '([] as LockInfo[]).find(isAttempt)',
    oracles: ['I1', 'I2'],
    seed: 0,
  },
  {
    name: 'nobody looks whether the page that sent a refresh is gone',
    file: 'refresh/journal.ts',
    replace: `if (sender !== 'gone' || !sent.endsWithPage) return found`,
    by: 'return found',
    oracles: ['I3'],
    seed: 0,
  },
  {
    name: 'whoever comes late may write',
    file: 'state/changes.ts',
    replace:
      '!!record?.signedIn && record.attempt === journal.attempt && record.version.generation === journal.version.generation',
    by: '!!record',
    oracles: ['I5', 'I21'],
    seed: 42,
  },
  {
    name: 'whoever was overtaken by a later attempt may write',
    file: 'state/changes.ts',
    replace: 'record.attempt === journal.attempt &&',
    by: '',
    oracles: ['I21'],
    seed: 104,
  },
  {
    name: 'a page that slept after the journal sends all the same',
    file: 'refresh/journal.ts',
    replace: 'slept > timeout / 4',
    by: 'false',
    oracles: ['I1', 'I2', 'I26'],
    seed: 809,
  },
  {
    name: 'what a backend keeps counts as all of it',
    file: 'refresh/refresh.ts',
    replace: 'commitAs(false, said, sending, receipt)',
    by: 'commitAs(isReload(sending.record!), said, sending, receipt)',
    oracles: ['I14'],
    seed: 372,
  },
  {
    name: 'what a backend keeps is written only at the end',
    file: 'refresh/exchange.ts',
    replace: 'checkpoint = write(commit, sending, attempt)',
    by: 'if (Infinity === 0) checkpoint = write(commit, sending, attempt)',
    oracles: ['I2', 'I26'],
    seed: 30,
  },
  {
    name: 'a transient failure ends the session',
    file: 'backends/bearer.ts',
    replace: 'if (await isRefused(options.isRefused, json, response)) {',
    by: 'if (!response.ok) {',
    oracles: ['I8'],
    seed: 1,
  },
  {
    name: 'a sign-out opens no generation',
    file: 'state/steps.ts',
    replace: 'beginGeneration(record, { reason })',
    by: '({ ...record, signedIn: false, reason })',
    oracles: ['I5', 'I6', 'I15'],
    seed: 2,
  },
  {
    name: 'a tab that signed out still attaches its token',
    file: 'session/store.ts',
    replace: `if (event.type === 'signed-out') hold(null, null, receivedAtMono)`,
    by: '',
    oracles: ['I5'],
    seed: 21,
  },
  {
    name: 'whoever forces a refresh joins the one that runs',
    file: 'state/plan.ts',
    replace: '(!forced || place > 0)',
    by: 'true',
    oracles: ['I14'],
    seed: 5,
  },
  {
    name: 'a request is sent again after a network error',
    file: 'request/intercept.ts',
    replace: 'const response = await transmit(trip)',
    by: 'const response = await transmit(trip).catch(() => transmit(trip))',
    oracles: ['I4', 'I16'],
    seed: 0,
  },
  {
    name: 'what one user asked for is sent as another',
    file: 'state/view.ts',
    replace: 'if (isSameSession(started.version, current.version)) return null',
    by: 'return null',
    oracles: ['I13'],
    seed: 11,
  },
  {
    name: 'an abort frees nobody',
    file: 'runtime/wait.ts',
    replace: 'signal ? onAbort(signal, abort) : undefined',
    by: 'undefined',
    oracles: ['I16'],
    seed: 0,
  },
  {
    name: 'credentials go everywhere',
    file: 'request/origins.ts',
    replace: 'prefixes.some((each) => href.startsWith(each))',
    by: 'true',
    oracles: ['I7'],
    seed: 1,
  },
  {
    name: 'a trace tells the credentials',
    file: 'refresh/traced.ts',
    replace: '{ attempt, reason,',
    by: '{ attempt, held: store.credentials, reason,',
    oracles: ['I19'],
    seed: 0,
  },
  {
    name: 'a page that wakes reads nothing',
    file: 'refresh/schedule.ts',
    replace: 'await readiness.sync()',
    by: '',
    oracles: ['I3', 'I15'],
    seed: 12,
  },
  {
    name: 'a turn never ends',
    file: 'refresh/lock.ts',
    replace: 'release()',
    by: '',
    oracles: ['I3', 'I11'],
    seed: 0,
  },
  {
    name: 'a listener that fails is heard of by the page',
    file: 'session/events.ts',
    replace: 'done(listener(detail))).catch(',
    by: 'done(listener(detail))).finally(',
    oracles: ['I23'],
    seed: 0,
  },
  {
    name: 'a refusal is answered with one more refresh each time',
    file: 'request/intercept.ts',
    replace: 'const acting = act(trip, verdict)',
    by: `const acting = act(trip, verdict === 'refused-route' ? 'refresh' : verdict)`,
    oracles: ['I9'],
    seed: 0,
  },
  {
    name: 'a replay goes out without its body',
    file: 'request/replayable.ts',
    replace: 'if (this.#body) init.body = this.#body.take()',
    by: 'if (this.#body) (init.body = this.sent ? null : this.#body.take()), (this.sent = true)',
    oracles: ['I18'],
    seed: 0,
  },
  {
    name: 'a record is written without its credentials',
    file: 'state/record.ts',
    replace: '(credentials === undefined ? old?.credentials : credentials) ?? null',
    by: 'old?.credentials ?? credentials ?? null',
    oracles: ['I2', 'I5', 'I22'],
    seed: 10,
  },
  {
    name: 'nobody counts what failed',
    file: 'state/plan.ts',
    replace: 'recentCharges.length >= BUCKET_SIZE',
    by: 'recentCharges.length >= 1000',
    oracles: ['I9'],
    seed: 40,
  },
  {
    name: 'nobody waits as the server asks',
    file: 'state/plan.ts',
    replace: 'if (coolUntil > now && coolUntil - now < MAX_COOL_DOWN_MS) return coolUntil',
    by: '',
    oracles: ['I9'],
    seed: 9,
  },
  {
    name: 'an attempt counts as over as soon as it is sent',
    file: 'state/steps.ts',
    replace: 'deadline: at + timeout',
    by: 'deadline: at',
    oracles: ['I1', 'I2', 'I26'],
    seed: 0,
  },
  {
    name: 'a page that comes back serves what it held',
    file: 'refresh/schedule.ts',
    replace: 'page.onSleep(readiness.suspend)',
    by: '',
    oracles: ['I5', 'I6', 'I13'],
    seed: 83,
  },
  {
    name: 'who slept through another sign-in goes on as that one',
    file: 'request/prepare.ts',
    replace: 'await follow(trip)\n    trip.started',
    by: 'trip.started',
    oracles: ['I13'],
    seed: 56,
  },
  {
    name: 'a refresh raises no revision',
    file: 'state/steps.ts',
    replace: 'revision: record.version.revision + 1',
    by: 'revision: record.version.revision',
    oracles: ['I10', 'I14'],
    seed: 0,
  },
  {
    name: 'a sign-out is written nowhere',
    file: 'session/sign-out.ts',
    replace: 'const isWritten = await write().then(',
    by: 'store.writeSignOut = null\nconst isWritten = await Promise.resolve().then(',
    oracles: ['I5', 'I11', 'I15'],
    seed: 378,
  },
  {
    name: 'who asks for the user gets a token alone',
    file: 'refresh/refresh.ts',
    replace: 'asked.reload || reloadFrom > reloadedBy',
    by: 'false',
    oracles: ['I14'],
    seed: 0,
  },
  {
    name: 'a storage that is slow is taken for a storage that fails',
    file: 'storage/resilient.ts',
    replace: 'return await work(await used)',
    by: `return await withTimeout(used.then(work), clock, 2_000, 'slow').catch((cause) => ((hasWorked = false), work(giveUp(cause))))`,
    oracles: ['I1', 'I2', 'I15', 'I26'],
    seed: 0,
  },
  {
    name: 'nobody believes the server that a session is over',
    file: 'backends/bearer/ending.ts',
    replace: "if (WHY.test(why)) throw new SessionEndedError(why === 'revoked' ? why : 'reused', { refusal })",
    by: 'throw new Error(why)',
    oracles: ['I9', 'I11'],
    seed: 0,
  },
  {
    name: 'life is counted on the monotonic clock alone',
    file: 'runtime/clock.ts',
    replace: 'asleep += leadNow - lead',
    by: 'asleep += 0',
    oracles: ['I27'],
    seed: 21,
  },
  {
    name: 'a session that begins forgets the sign-outs of before',
    file: 'state/steps.ts',
    replace: 'signOuts: record.signOuts,',
    by: '',
    oracles: ['I28'],
    seed: 0,
  },
  {
    name: 'a forced refresh is content with a sign-in that came meanwhile',
    file: 'state/plan.ts',
    replace: '!asked.forced && !isSameSession',
    by: '!isSameSession',
    oracles: ['I14'],
    seed: 0,
  },
]
