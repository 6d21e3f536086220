// `npm run ssr`: small real apps of frameworks that render on a server, built and run with the packed resesh.
// `npm run ssr -- next` runs one of them. SSR_LOADS says how often the slow pages are loaded (1,000 with
// Next.js, 50 with the others).

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startVitest } from 'vitest/node'
import { install, npm, root } from './packages.mjs'

const withoutTelemetry = { NEXT_TELEMETRY_DISABLED: '1', NUXT_TELEMETRY_DISABLED: '1' }
const ssr = join(root, 'test/ssr')
const all = readdirSync(ssr).filter((name) => existsSync(join(ssr, name, 'package.json')))
const asked = process.argv.slice(2)
const chosen = asked.length ? asked : all
const unknown = asked.filter((name) => !all.includes(name))
if (unknown.length) {
  console.error(`There is no app ${unknown.join(', ')}. There are: ${all.join(', ')}`)
  process.exit(1)
}

/** @returns the path of the tarball that npm would publish. */
function pack() {
  const folder = join(root, 'node_modules/.cache/resesh-ssr')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  npm(['run', '-s', 'build'])
  npm(['pack', '-s', '--ignore-scripts', '--pack-destination', folder])
  return join(folder, readdirSync(folder)[0])
}

/** Installs an app with resesh in it as a user gets it, and builds the app. */
function build(name, tarball) {
  const app = join(ssr, name)
  install(app, '--ignore-scripts')
  // The version is the same each time: npm would keep what is there.
  // And Vite would serve what it has cached of it.
  for (const old of ['resesh', '.vite', '.cache'])
    rmSync(join(app, 'node_modules', old), { recursive: true, force: true })
  npm(['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', tarball], { cwd: app })
  npm(['run', '-s', 'build'], { cwd: app, env: { ...process.env, ...withoutTelemetry } })
}

const tarball = pack()
for (const name of chosen) build(name, tarball)

const files = chosen.map((name) => `test/ssr/${name}.ssr.ts`)
const vitest = await startVitest('test', files, { run: true, config: join(ssr, 'vitest.config.ts') })
await vitest.close()
