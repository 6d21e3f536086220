// A session where a page is rendered: there is no page and no tab, and what is there belongs to all visitors.

import { createSession, type SessionOptions } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { cookie } from 'resesh/backends/cookie'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import { createClock, fetchOf, settled } from '../support/session.ts'

const backends = {
  cookie: cookie({ sessionUrl: '/bff/session', refreshUrl: '/bff/refresh' }),
  'bearer, its refresh token in a cookie': bearer({ refreshUrl: '/auth/refresh', refreshTokenIn: 'cookie' }),
}

function open(options: Pick<SessionOptions, 'backend' | 'initial'>) {
  const clock = createClock()
  const opened: string[] = []
  const locks = { request: async (name: string) => void opened.push(`lock ${name}`) }
  class Channel {
    constructor(name: string) {
      opened.push(`channel ${name}`)
    }
    postMessage() {}
    close() {}
  }
  const platform = {
    ...clock.platform,
    // As newer versions of Node have them.
    BroadcastChannel: Channel as unknown as typeof BroadcastChannel,
    navigator: { locks } as unknown as Navigator,
    fetch: fetchOf(createSampleServer()),
  }
  const session = createSession({ ...options, platform })
  onTestFinished(session.dispose)
  const errors: string[] = []
  session.on('error', ({ error }) => errors.push(error.message))
  return { session, clock, opened, errors }
}

describe.each(Object.entries(backends))('%s', (_, backend) => {
  test('what is rendered with `initial` opens nothing, and leaves no timer behind', async () => {
    const { session, clock, opened, errors } = open({ backend, initial: { accessToken: 'abc', user: { name: 'Ann' } } })
    expect(session.current.user).toEqual({ name: 'Ann' })
    await settled()
    expect({ opened, timers: clock.waiting, errors }).toEqual({ opened: [], timers: 0, errors: [] })
  })

  test('without `initial`, a path that leads nowhere there is tried once, and leaves no timer behind', async () => {
    const { session, clock, opened, errors } = open({ backend })
    const ready = session.ready()
    ready.catch(() => {})
    await clock.pass(0)
    await expect(ready).rejects.toThrow(/Failed to parse URL|Invalid URL/)
    expect(errors).toEqual([expect.stringMatching(/Failed to parse URL|Invalid URL/)])
    await clock.pass(600_000)
    expect({ opened, timers: clock.waiting, errors: errors.length }).toEqual({ opened: [], timers: 0, errors: 1 })
    expect(session.current.status).toBe('loading')
    // Nobody asks any more: who comes later is told at once.
    await expect(session.ready()).rejects.toThrow(/Failed to parse URL|Invalid URL/)
    expect(await session.signIn({ accessToken: 'abc' })).toMatchObject({ status: 'authenticated' })
  })
})

test('a fetch that knows where a path leads is asked again after a failure', async () => {
  const clock = createClock()
  let asked = 0
  const fetch = async () =>
    ++asked === 1 ? new Response(null, { status: 503 }) : Response.json({ user: { id: 'ann' } })
  const session = createSession({ backend: cookie({ sessionUrl: '/session' }), platform: { ...clock.platform, fetch } })
  onTestFinished(session.dispose)
  await clock.pass(5_000)
  expect(session.current).toMatchObject({ status: 'authenticated', user: { id: 'ann' } })
})
