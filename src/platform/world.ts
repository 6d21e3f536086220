// Puts the platform together: what the flow stands on.

import type { Platform, World } from '../ports.ts'
import { createClock } from './clock.ts'
import { globalsOf } from './globals.ts'
import { memoryLocks, memoryRecords, noChannel } from './memory.ts'
import { createPage } from './page.ts'

export function createWorld<U>(platform: Platform): World<U> {
  const globals = globalsOf(platform)
  return {
    clock: createClock(globals),
    locks: memoryLocks(),
    records: memoryRecords<U>(),
    channel: noChannel,
    page: createPage(globals),
    fetch: (input, init) => globals.get('fetch')!(input, init),
    origin() {
      const origin = globals.get('location')?.origin
      return origin === 'null' ? undefined : origin
    },
    cookie(name) {
      const pair = globals
        .get('document')
        ?.cookie.split('; ')
        .find((each) => each.startsWith(`${name}=`))
      return pair === undefined ? null : decodeURIComponent(pair.slice(name.length + 1))
    },
    global: () => globals.get('globalThis')!,
    base: () => globals.get('document')?.baseURI ?? globals.get('location')?.href,
  }
}
