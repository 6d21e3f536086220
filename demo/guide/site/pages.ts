// Which pages the guide has, in the order of reading. A page is a markdown file: here, or beside the source of its backend.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../..', import.meta.url))

export interface GuidePage {
  /** Below `/guide/`. */
  readonly name: string
  /** Below the project's root. */
  readonly file: string
  readonly title: string
}

const order = [
  'start',
  'your-server',
  'clients',
  'after-an-edit',
  'events-and-state',
  'sign-in-sign-out',
  'tabs-sleep-reload',
  'step-up',
  'sockets-and-streams',
  'frameworks',
  'server-rendering',
  'debug',
  'why-signed-out',
  'testing',
  'security',
  'options',
  'errors',
  'limits',
  'moving',
  'own-backend',
]

export const textOf = ({ file }: Pick<GuidePage, 'file'>): string => readFileSync(join(root, file), 'utf8')

const titleOf = (file: string): string => /^# (.+)$/m.exec(textOf({ file }))?.[1] ?? file

const pageOf = (name: string, file: string): GuidePage => ({ name, file, title: titleOf(file) })

/** The pages of the guide. */
export const guidePages = (): GuidePage[] =>
  order
    .map((name) => [name, `demo/guide/${name}.md`] as const)
    .filter(([, file]) => existsSync(join(root, file)))
    .map(([name, file]) => pageOf(name, file))

/** The pages of the backends. */
export const backendPages = (): GuidePage[] =>
  readdirSync(join(root, 'src/backends'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => pageOf(`backends/${file.slice(0, -3)}`, `src/backends/${file}`))
