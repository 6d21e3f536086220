// A response that asks more of the user parks its request, and nothing else; the app decides how it goes on.

import {
  type Backend,
  type Challenge,
  type Events,
  SessionEndedError,
  type SessionOptions,
  StepUpRequiredError,
} from 'resesh'
import { stepUp } from 'resesh/step-up'
import { describe, expect, test, vi } from 'vitest'
import { createSampleServer } from '../servers/sample/server.ts'
import {
  bearerBackend,
  createClock,
  createWire,
  fetchOf,
  login,
  settled,
  setup,
  thrownBy,
  url,
} from '../support/session.ts'
import { askStepUp, type StepUpAsked } from './asking.ts'

const PATH = '/api/transfers'
const CHALLENGE = 'Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age=5'
const UNMET = '{"error":"insufficient_user_authentication"}'

const refusal = (challenge = CHALLENGE) =>
  new Response(UNMET, { status: 401, headers: { 'www-authenticate': challenge } })

/** PATH wants more of the user until `met`; everything else is the sample server's. */
const demanding = async (options: Partial<SessionOptions> = {}, refuse: () => Response = refusal) => {
  const server = createSampleServer()
  const demand = { isMet: false }
  const wire = createWire(async (...args) => {
    const request = new Request(...args)
    if (request.url !== url(PATH)) return fetchOf(server)(request)
    return demand.isMet ? new Response(`done: ${await request.text()}`) : refuse()
  })
  const asked: StepUpAsked[] = []
  const { session } = await setup({ use: [askStepUp(asked)], ...options, platform: { fetch: wire.fetch } }, { server })
  const transfer = (init?: RequestInit) => session.fetch(url(PATH), { method: 'POST', body: 'all of it', ...init })
  /** Sent, refused, and waiting for the user. */
  const parked = async (init?: RequestInit) => {
    const response = transfer(init)
    response.catch(() => {})
    await vi.waitUntil(() => asked.length > 0)
    return { response, event: asked[0]! }
  }
  return { server, session, wire, demand, asked, transfer, parked, sends: () => wire.to(PATH).length }
}

test('the event carries what the server wants and of which request; no refresh is made', async () => {
  const { server, parked, sends } = await demanding()
  const { event } = await parked()
  expect(event.challenge).toEqual({
    type: 'insufficient_user_authentication',
    acr_values: 'gold silver',
    max_age: '5',
  } satisfies Challenge)
  expect([event.request.method, event.request.url]).toEqual(['POST', url(PATH)])
  await settled()
  expect([server.stats.refreshes, sends()]).toEqual([0, 1])
})

test('resolve() sends the same request again', async () => {
  const { demand, parked, sends } = await demanding()
  const { response, event } = await parked({ headers: { 'x-a': 'b' } })
  demand.isMet = true
  event.resolve()
  expect(await (await response).text()).toBe('done: all of it')
  expect(sends()).toBe(2)
})

test('the refusal that nobody reads any more is let go, and its connection with it', async () => {
  const refused = refusal()
  const { demand, parked } = await demanding({}, () => refused)
  const { response, event } = await parked()
  expect(refused.body!.locked).toBe(false)
  demand.isMet = true
  event.resolve()
  await response
  expect((await refused.body!.getReader().read()).done).toBe(true)
})

test('what it sends again carries the credentials of now', async () => {
  const { session, demand, parked, wire } = await demanding()
  const { response, event } = await parked()
  demand.isMet = true
  const token = await session.getToken({ skipCache: true })
  event.resolve()
  expect((await response).status).toBe(200)
  expect(wire.to(PATH).map(({ headers }) => headers.get('authorization') === `Bearer ${token}`)).toEqual([false, true])
})

test('reject() hands back the server’s answer, unread', async () => {
  const { server, parked, sends } = await demanding()
  const { response, event } = await parked()
  event.reject()
  expect([(await response).status, await (await response).text()]).toEqual([401, UNMET])
  expect([server.stats.refreshes, sends()]).toEqual([0, 1])
})

test('the first word counts', async () => {
  const { demand, parked, sends } = await demanding()
  const { response, event } = await parked()
  event.reject()
  event.resolve()
  demand.isMet = true
  expect((await response).status).toBe(401)
  expect(sends()).toBe(1)
})

test('where nobody listens the answer is handed back at once, without a refresh', async () => {
  const { server, transfer, sends } = await demanding({ use: [] })
  expect(await (await transfer()).text()).toBe(UNMET)
  expect([server.stats.refreshes, sends()]).toEqual([0, 1])
})

test('a user who is asked in vain is asked twice at most, and the answer handed back', async () => {
  let asked = 0
  const { transfer, sends } = await demanding({ use: [stepUp(() => ++asked > 0)] })
  expect((await transfer()).status).toBe(401)
  expect([asked, sends()]).toEqual([2, 3])
})

test('other requests go on meanwhile, and so does the refresh', async () => {
  const { server, session, demand, parked } = await demanding()
  const { response, event } = await parked()
  server.expireAccessTokens()
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  expect(server.stats.refreshes).toBe(1)
  demand.isMet = true
  event.resolve()
  expect((await response).status).toBe(200)
})

test('each request has an event of its own', async () => {
  const { asked, demand, transfer } = await demanding()
  const responses = [transfer(), transfer()]
  await vi.waitUntil(() => asked.length === 2)
  asked[1]!.reject()
  expect((await responses[1]!).status).toBe(401)
  demand.isMet = true
  asked[0]!.resolve()
  expect((await responses[0]!).status).toBe(200)
})

test('an abort frees a parked request; it is never sent again', async () => {
  const { demand, parked, sends } = await demanding()
  const caller = new AbortController()
  const { response, event } = await parked({ signal: caller.signal })
  caller.abort('gone')
  expect(await thrownBy(response)).toBe('gone')
  demand.isMet = true
  event.resolve()
  await settled()
  expect(sends()).toBe(1)
})

test('a sign-out while parked rejects; it is never sent as nobody', async () => {
  const { session, demand, parked, sends } = await demanding()
  const { response, event } = await parked()
  demand.isMet = true
  await session.signOut()
  expect(await thrownBy(response)).toBeInstanceOf(SessionEndedError)
  event.resolve()
  await settled()
  expect(sends()).toBe(1)
})

test('another user who signs in while it is parked rejects it, too', async () => {
  const { server, session, parked, sends } = await demanding()
  const { response } = await parked()
  await session.signIn(await login(server, 'bob'))
  expect(await thrownBy(response)).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-in' })
  expect(sends()).toBe(1)
})

test('a session that the server ends while it is parked hands back the answer', async () => {
  const { server, session, parked, sends } = await demanding()
  const { response } = await parked()
  server.revoke('ann')
  await session.refresh()
  expect([(await response).status, await (await response).text()]).toEqual([401, UNMET])
  expect(sends()).toBe(1)
})

test('a change of the same session leaves it parked', async () => {
  const { session, demand, parked, sends } = await demanding()
  const { response, event } = await parked()
  await session.reload()
  await settled()
  expect(sends()).toBe(1)
  demand.isMet = true
  event.resolve()
  expect((await response).status).toBe(200)
})

test('a body that can’t be sent again parks nothing', async () => {
  const { asked, session } = await demanding()
  const body = new ArrayBuffer(64 * 2 ** 20 + 1) // too long to copy
  const response = await session.fetch(url(PATH), { method: 'POST', body })
  expect([response.status, asked.length]).toEqual([401, 0])
})

test('a listener that throws harms nobody', async () => {
  const thrown = new Error('mine')
  const handler = () => {
    throw thrown
  }
  const { session, transfer, demand, sends } = await demanding({ use: [stepUp(handler)] })
  const errors: unknown[] = []
  session.on('error', ({ error }: Events['error']) => errors.push(error))
  expect(await (await transfer()).text()).toBe(UNMET)
  expect((await transfer()).status).toBe(401)
  expect(errors).toMatchObject([{ code: 'ERR_CALLBACK', cause: thrown }])
  expect([session.current.status, sends()]).toEqual(['authenticated', 2])
  expect((await session.fetch(url('/api/me'))).status).toBe(200)
  demand.isMet = true
  expect((await transfer()).status).toBe(200)
})

test('a caller’s own credentials are its own business', async () => {
  const { asked, transfer } = await demanding()
  expect((await transfer({ headers: { authorization: 'Bearer of-its-own' } })).status).toBe(401)
  expect(asked).toEqual([])
})

test.each([
  ['a scope', 'Bearer error="insufficient_scope"', 401],
  ['a 403', CHALLENGE, 403],
  ['a description', 'Bearer error="invalid_token", error_description="no insufficient_user_authentication"', 401],
])('%s that is missing is no step-up', async (_, challenge, status) => {
  const { asked, transfer } = await demanding(
    { isExpired: () => false },
    () => new Response(null, { status, headers: { 'www-authenticate': challenge } }),
  )
  expect((await transfer()).status).toBe(status)
  expect(asked).toEqual([])
})

test('a backend says in its own way what is wanted', async () => {
  const recognize: Backend['stepUp'] = async (response) =>
    response.status === 403 ? { type: 'mfa', ...((await response.clone().json()) as object) } : null
  const { server, demand, parked } = await demanding({ backend: { ...bearerBackend(), stepUp: recognize } }, () =>
    Response.json({ factors: ['totp'] }, { status: 403 }),
  )
  const { response, event } = await parked()
  expect(event.challenge).toEqual({ type: 'mfa', factors: ['totp'] })
  demand.isMet = true
  event.resolve()
  expect((await response).status).toBe(200)
  expect(server.stats.refreshes).toBe(0)
})

test('a request that is parked when the session is disposed of gets its answer back', async () => {
  const { session, parked } = await demanding()
  const { response } = await parked()
  session.dispose()
  expect((await response).status).toBe(401)
})

test('the request in the event shows no token, neither now nor once it is sent again', async () => {
  const { demand, parked, wire } = await demanding()
  const { response, event } = await parked({ headers: { 'x-a': 'b' } })
  const shown = () => Object.fromEntries(event.request.headers)
  expect(shown()).toEqual({ 'x-a': 'b' })
  demand.isMet = true
  event.resolve()
  await response
  expect(wire.to(PATH).every(({ headers }) => headers.has('authorization'))).toBe(true)
  expect(shown()).toEqual({ 'x-a': 'b' })
})

describe('a refresh under a request that needs more of the user', () => {
  const refreshing = async () => {
    const asked: StepUpAsked[] = []
    const backend = bearerBackend()
    const demand = { isMet: false }
    const refresh: Backend['refresh'] = async (...args) => {
      if (!demand.isMet) throw new StepUpRequiredError({ type: 'mfa' })
      return backend.refresh(...args)
    }
    const { server, session, wire } = await setup({ backend: { ...backend, refresh }, use: [askStepUp(asked)] })
    server.expireAccessTokens()
    const response = session.fetch(url('/api/me'), { headers: { 'x-a': 'b' } })
    response.catch(() => {})
    await vi.waitUntil(() => asked.length > 0)
    return { session, wire, demand, response, event: asked[0]! }
  }

  test('asks, too, and the request goes on', async () => {
    const { demand, response, event } = await refreshing()
    expect([event.challenge, Object.fromEntries(event.request.headers)]).toEqual([{ type: 'mfa' }, { 'x-a': 'b' }])
    demand.isMet = true
    event.resolve()
    expect((await response).status).toBe(200)
  })

  test('asks in vain: the answer is handed back, and the session is kept', async () => {
    const { session, response, event } = await refreshing()
    event.reject()
    expect((await response).status).toBe(401)
    expect(session.current.status).toBe('authenticated')
  })

  test('a sign-out while it waits rejects', async () => {
    const { session, wire, response } = await refreshing()
    await session.signOut()
    expect(await thrownBy(response)).toMatchObject({ code: 'ERR_SESSION_ENDED', reason: 'signed-out' })
    expect(wire.to('/api/me')).toHaveLength(1)
  })

  /** Its refreshes are refused until the user has done more. */
  const refusing = async (use: SessionOptions['use']) => {
    const clock = createClock()
    let refused = 0
    const demand = { isMet: false }
    const backend = bearerBackend()
    const refresh: Backend['refresh'] = async (...args) => {
      if (demand.isMet) return backend.refresh(...args)
      refused++
      throw new StepUpRequiredError({ type: 'mfa' })
    }
    const state = await setup({ backend: { ...backend, refresh }, use: use!, refreshAhead: 'never' }, { clock })
    state.server.expireAccessTokens()
    const statusOf = async () => (await state.session.fetch(url('/api/me'))).status
    return { ...state, clock, demand, statusOf, refused: () => refused }
  }

  test('is refused once, however many requests come, until the user has done more', async () => {
    const asked: StepUpAsked[] = []
    const { statusOf, clock, demand, refused } = await refusing([askStepUp(asked)])
    const responses = [statusOf(), statusOf()]
    await settled()
    await clock.pass(300_000)
    responses.push(statusOf())
    await settled()
    expect([asked.length, refused()]).toEqual([3, 1])
    demand.isMet = true
    asked.forEach(({ resolve }) => resolve())
    expect(await Promise.all(responses)).toEqual([200, 200, 200])
  })

  test('is not tried again once the user has said no; a forced refresh is', async () => {
    let asked = 0
    const { statusOf, session, clock, demand, refused } = await refusing([stepUp(() => ++asked < 0)])
    for (let time = 0; time < 5; time++) {
      expect(await statusOf()).toBe(401)
      await clock.pass(100_000)
    }
    expect([asked, refused()]).toEqual([5, 1])
    demand.isMet = true
    await session.refresh()
    expect(await statusOf()).toBe(200)
  })

  test('is tried again on back-off, where nobody asks the user', async () => {
    const { statusOf, clock, demand, refused } = await refusing([])
    for (let time = 0; time < 5; time++) expect(await statusOf()).toBe(401)
    expect(refused()).toBe(1)
    for (let second = 0; second < 60; second++) {
      await clock.pass(1_000)
      expect(await statusOf()).toBe(401)
    }
    expect(refused()).toBeLessThanOrEqual(7)
    demand.isMet = true
    await clock.pass(60_000)
    expect(await statusOf()).toBe(200)
  })

  test('asks once for a request that was held before it was sent', async () => {
    let asked = 0
    const { statusOf, clock, refused } = await refusing([stepUp(() => ++asked < 0)])
    await clock.pass(61_000)
    expect(await statusOf()).toBe(401)
    expect([asked, refused()]).toEqual([1, 1])
  })

  test('tells who asks for a token, without asking the server again', async () => {
    const { session, clock, refused } = await refusing([])
    await clock.pass(61_000)
    for (let time = 0; time < 3; time++)
      expect(await thrownBy(session.getToken())).toMatchObject({ challenge: { type: 'mfa' } })
    expect(refused()).toBe(1)
  })

  test('of a switch that is refused says nothing of a plain one', async () => {
    const backend = bearerBackend()
    const refresh: Backend['refresh'] = async (held, io, wanted) => {
      if (wanted.organizationId) throw new StepUpRequiredError({ type: 'mfa' })
      return backend.refresh(held, io, wanted)
    }
    const { session, server } = await setup({ backend: { ...backend, accepts: ['organizationId'], refresh } })
    await thrownBy(session.refresh({ organizationId: 'acme' }))
    server.expireAccessTokens()
    expect((await session.fetch(url('/api/me'))).status).toBe(200)
  })
})
