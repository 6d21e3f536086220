// The devtools where there is no page: importing them is safe, and mounting says what is missing.

import { defineDevtools, mountDevtools, tanstackPlugin } from 'resesh/devtools'
import { expect, test } from 'vitest'
import { setup } from '../support/session.ts'

test('imported without a page, they do nothing until they are mounted, and say then what is missing', async () => {
  const { session } = await setup()
  expect('HTMLElement' in globalThis).toBe(false)
  expect(tanstackPlugin(session)).toMatchObject({ id: 'resesh', name: 'resesh' })
  for (const act of [() => mountDevtools(session), () => defineDevtools()]) expect(act).toThrow(/need a page/)
})
