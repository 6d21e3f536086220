// Puts the platform together: what the flow stands on.

import type { World } from '../ports.ts'
import { createClock } from './clock.ts'
import type { Globals } from './globals.ts'
import { memoryLocks, memoryRecords, noChannel } from './memory.ts'
import { createPage } from './page.ts'

export const createWorld = <U>(get: Globals): World<U> => ({
  ...createClock(get),
  ...memoryLocks(),
  ...memoryRecords<U>(),
  ...noChannel,
  ...createPage(get),
  fetch: (input, init) => get('fetch')!(input, init),
  base: () => get('document')?.baseURI ?? get('location')?.href,
  cookie(name) {
    const pairs = get('document')?.cookie.split('; ') ?? []
    const pair = pairs.find((each) => each.startsWith(`${name}=`))
    return pair ? decodeURIComponent(pair.slice(name.length + 1)) : null
  },
})
