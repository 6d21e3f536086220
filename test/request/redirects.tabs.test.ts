// Where a redirect leads in a real browser: no credential goes along.

import { expect, test } from 'vitest'
import { openSite } from '../support/site.ts'
import { type Tab, useTabs } from '../support/tabs.ts'

declare const Resesh: typeof import('../../src/global.ts')

const start = useTabs()

test('a token in a header of its own follows no redirect, out of the origin or within', async () => {
  const world = await start()
  const [ours, other] = [await openSite(), await openSite()]
  const [tab] = (await world.open(1, {
    session: { origins: [ours.origin], initial: { accessToken: 'canary-token' } },
    backend: () => ({
      name: 'own',
      refresh: async () => null,
      attach(headers, credentials) {
        headers.set('x-token', credentials?.accessToken ?? '')
        return { redirect: 'error' }
      },
    }),
  })) as [Tab]
  const names = await tab.run(
    ({ session }, urls) =>
      Promise.all(
        urls.map((url) =>
          session.fetch(url).then(
            ({ type }) => type,
            (error: Error) => error.name,
          ),
        ),
      ),
    [ours.to(`${other.origin}/end`), ours.to(`${ours.origin}/end`), `${ours.origin}/end`],
  )
  expect(names).toEqual(['TypeError', 'TypeError', 'cors'])
  expect(ours.log.filter((entry) => entry.includes('canary-token'))).toHaveLength(3)
  expect(other.log).toEqual([])
})

test('XMLHttpRequest can refuse no redirect: an answer from an origin that is not listed is told, and counts for nothing', async () => {
  const world = await start()
  const [ours, other] = [await openSite(), await openSite()]
  const [tab] = (await world.open(1, {
    session: { origins: [ours.origin], initial: { accessToken: 'canary-token' } },
    backend: () => ({
      name: 'own',
      refresh: async () => null,
      attach(headers, credentials) {
        headers.set('x-token', credentials?.accessToken ?? '')
        return { redirect: 'error' }
      },
    }),
  })) as [Tab]
  const told = await tab.run(
    async ({ session }, urls) => {
      const errors: string[] = []
      session.on('error', ({ error }) => errors.push(`${error.code} ${error.message}`))
      Resesh.installXhr(session)
      const statuses: number[] = []
      for (const url of urls) {
        const xhr = new XMLHttpRequest()
        xhr.open('GET', url)
        await new Promise((done) => {
          xhr.onloadend = done
          xhr.send()
        })
        statuses.push(xhr.status)
      }
      return { errors, statuses, status: session.current.status }
    },
    [ours.to(`${ours.origin}/end`), ours.to(`${other.origin}/401`), ours.to(`${other.origin}/end`)],
  )
  expect(told.statuses).toEqual([200, 401, 200])
  expect([told.errors.length, told.status]).toEqual([1, 'authenticated'])
  expect(told.errors[0]).toMatch(/^ERR_INVALID_OPTION origins leaves out /)
  for (const { origin } of [ours, other]) expect(told.errors[0]).toContain(origin)
  expect(told.errors[0]).not.toMatch(/canary|\/go|\/401/)
})
