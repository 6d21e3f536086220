// What `debug` writes, line by line.

import type { Platform, SessionOptions } from 'resesh'
import { debug, type DebugOptions } from 'resesh/debug'
import { onTestFinished } from 'vitest'
import { setup, type Setup, type SetupOptions } from '../support/session.ts'

export const PAGE = 'https://app.example.test'

/** The page, and what it has stored under `debug`. */
export const pageWith = (enabled?: string): Platform => ({
  location: { origin: PAGE, href: `${PAGE}/` } as Location,
  localStorage: { getItem: (key: string) => (key === 'debug' ? (enabled ?? null) : null) } as Storage,
})

export interface Written extends Setup {
  lines: string[]
  warnings: string[]
  undo: () => void
}

/** A console that remembers. */
export const remembering = () => {
  const [lines, warnings]: [string[], string[]] = [[], []]
  const console = { log: (line: string) => void lines.push(line), warn: (line: string) => void warnings.push(line) }
  return { lines, warnings, console }
}

/** A session under `debug`, of a page at {@link PAGE}, over the sample server at another origin. */
export const written = async (
  options: Partial<SessionOptions> = {},
  { enabled, ...how }: SetupOptions & DebugOptions & { enabled?: string } = {},
): Promise<Written> => {
  const world = await setup({ ...options, platform: { ...pageWith(enabled), ...options.platform } }, how)
  const { console, ...rest } = remembering()
  const undo = debug(world.session, { console, ...(how.on !== undefined && { on: how.on }) })
  onTestFinished(undo)
  return { ...world, ...rest, undo }
}
