// 'local': credentials in localStorage, and beside the record only which ones they are. The two are not written at one moment.

import { expect, test } from 'vitest'
import type { Globals } from '../../src/runtime/globals.ts'
import { localVault } from '../../src/storage/local.ts'

/** Vaults of one browser; who waits for localStorage to come in step waits in no time. */
const browser = () => {
  const values = new Map<string, string>()
  const platform = {
    crypto,
    localStorage: {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => void values.set(key, value),
      removeItem: (key: string) => void values.delete(key),
    },
    setTimeout: setImmediate,
  }
  const get = ((name: keyof typeof platform) => platform[name]) as unknown as Globals
  return { values, open: () => localVault(get, 'session') }
}

test('of two that are written at once the last is kept', async () => {
  const vault = await browser().open()
  const sealed = await Promise.all(['first', 'second'].map((accessToken) => vault.seal({ accessToken })))
  for (const each of sealed) vault.put!(each)
  expect(await vault.unseal(sealed[1]!)).toEqual({ accessToken: 'second' })
})

test('a page that dies before the record is written leaves the newest credentials to the record before', async () => {
  const { open } = browser()
  const vault = await open()
  const before = await vault.seal({ refreshToken: 'spent' })
  vault.put!(before)
  vault.put!(await vault.seal({ refreshToken: 'good' }))
  expect(await (await open()).unseal(before)).toEqual({ refreshToken: 'good' })
})

test('what was signed out is gone, and said to be', async () => {
  const { open, values } = browser()
  const vault = await open()
  const sealed = await vault.seal({ accessToken: 'secret' })
  vault.put!(sealed)
  vault.put!(null)
  expect(values.size).toBe(0)
  await expect(vault.unseal(sealed)).rejects.toThrow('Cleared')
})

test('what has not come yet is waited for, until another tab has written: the row beside it is read again then', async () => {
  const { open, values } = browser()
  const vault = await open()
  const before = await vault.seal({ accessToken: 'before' })
  vault.put!(before)
  const older = values.get('session')!
  const sealed = await vault.seal({ accessToken: 'after' })
  vault.put!(sealed)
  const newer = values.get('session')!
  values.set('session', older)
  await expect(vault.unseal(sealed, false)).rejects.toThrow('Cleared')
  expect(vault.mayComeLate!(1)).toBe(true)
  await vault.untilNews!(1)
  values.set('session', newer)
  expect(await vault.unseal(sealed, false)).toEqual({ accessToken: 'after' })
  expect(vault.mayComeLate!(100)).toBe(false)
})

test.each(['nonsense', 'null', '[]', '7'])('%s in its place is nobody’s', async (text) => {
  const { open, values } = browser()
  const vault = await open()
  const sealed = await vault.seal({ accessToken: 'secret' })
  vault.put!(sealed)
  values.set('session', text)
  await expect(vault.unseal(sealed)).rejects.toThrow('Cleared')
  vault.put!(sealed)
  expect(await vault.unseal(sealed)).toEqual({ accessToken: 'secret' })
})
