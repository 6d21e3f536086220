// The devtools in a page: what is drawn of a session, by keyboard, on a phone, and never a token.

import { createSession, memory, type Session } from 'resesh'
import { bearer } from 'resesh/backends/bearer'
import { type Devtools, mountDevtools, tanstackPlugin } from 'resesh/devtools'
import { page, userEvent } from 'vitest/browser'
import { expect, onTestFinished, test } from 'vitest'

interface World {
  session: Session
  secrets: string[]
  expire(): void
}

/** A server within the page: it accepts the newest token only. */
const signedIn = (): World => {
  let token = 'access-secret-0'
  const secrets = [token, 'refresh-secret']
  let count = 0
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init)
    if (request.url.endsWith('/auth/refresh')) {
      token = `access-secret-${++count}`
      secrets.push(token)
      await new Promise((done) => setTimeout(done, 20))
      return Response.json({ accessToken: token, refreshToken: 'refresh-secret' })
    }
    const isRight = request.headers.get('authorization') === `Bearer ${token}`
    return new Response(null, { status: isRight ? 200 : 401 })
  }
  const session = createSession({
    backend: bearer({ refreshUrl: '/auth/refresh' }),
    storage: memory(),
    initial: { accessToken: token, refreshToken: 'refresh-secret' },
    platform: { fetch },
  })
  onTestFinished(() => session.dispose())
  return { session, secrets, expire: () => void (token = 'access-secret-nobody-has') }
}

const mount = (...args: Parameters<typeof mountDevtools>): Devtools => {
  const devtools = mountDevtools(...args)
  onTestFinished(() => devtools.remove())
  return devtools
}
const find = <E extends Element = HTMLElement>({ element }: Pick<Devtools, 'element'>, selector: string) =>
  element.shadowRoot!.querySelector<E>(selector)
const drawn = (devtools: Pick<Devtools, 'element'>, phase: string) =>
  (find(devtools, `.rows.${phase}`)?.getAttribute('d') ?? '').split('M').length - 1
const inline = () => {
  const target = document.body.appendChild(document.createElement('div'))
  onTestFinished(() => target.remove())
  return { target }
}

test('three refused requests: sends, holds, one refresh with its reason, replays, an event', async () => {
  const { session, expire } = signedIn()
  const devtools = mount(session, inline())
  expire()
  await Promise.all([1, 2, 3].map((item) => session.fetch(`/api/items/${item}`)))
  await expect.poll(() => drawn(devtools, 'replay')).toBe(3)
  expect(drawn(devtools, 'send')).toBe(3)
  expect(drawn(devtools, 'hold')).toBe(3)
  expect(drawn(devtools, 'failed')).toBe(0)
  expect(devtools.element.shadowRoot!.querySelectorAll('.call.refresh')).toHaveLength(1)
  find<HTMLDetailsElement>(devtools, '.log')!.open = true
  await expect
    .poll(() => find(devtools, '.log')!.textContent)
    .toMatch(/GET \/api\/items\/1 was refused \(401\) with token #\d; refresh 1 started/)
})

test('a failed refresh is drawn as such, with the back-off after it', async () => {
  const session = createSession({
    backend: bearer({ refreshUrl: '/auth/refresh' }),
    storage: memory(),
    initial: { accessToken: 'first', refreshToken: 'second' },
    platform: { fetch: async () => new Response(null, { status: 503 }) },
  })
  onTestFinished(() => session.dispose())
  const devtools = mount(session, inline())
  await session.refresh().catch(() => {})
  await expect.poll(() => find(devtools, '.call.refresh.bad')?.textContent).toContain('forced 503')
  expect(find(devtools, '.call.back-off')).not.toBeNull()
})

test('nothing in the shadow root holds a token', async () => {
  const { session, expire, secrets } = signedIn()
  const devtools = mount(session, inline())
  find<HTMLDetailsElement>(devtools, '.log')!.open = true
  expire()
  await session.fetch('/api/me?token=access-secret-0', { headers: { authorization: 'Bearer access-secret-0' } })
  await session.fetch('/api/me')
  await session.signOut()
  await expect.poll(() => find(devtools, '.log')!.textContent).toContain('sign-out is done')
  await expect.poll(() => find(devtools, '.row')).not.toBeNull()
  expect(secrets.length).toBeGreaterThan(2)
  expect(secrets.filter((secret) => devtools.element.shadowRoot!.innerHTML.includes(secret))).toEqual([])
})

test('its styles stay inside, and those of the page outside', async () => {
  const { session } = signedIn()
  const style = document.head.appendChild(document.createElement('style'))
  onTestFinished(() => style.remove())
  style.textContent = 'button, .canvas { display: none }'
  const before = getComputedStyle(document.body).cssText
  const devtools = mount(session, inline())
  expect(getComputedStyle(find(devtools, '.canvas')!).display).toBe('block')
  expect(getComputedStyle(document.body).cssText).toBe(before)
})

test('by keyboard: open, read entry by entry, Escape hides what is read, Escape closes, the focus is where it was', async () => {
  const { session, expire } = signedIn()
  const devtools = mount(session)
  const toggle = find(devtools, '.toggle')!
  const inside = () => devtools.element.shadowRoot!.activeElement
  expect(devtools.element.open).toBe(false)
  expire()
  await Promise.all([1, 2].map((item) => session.fetch(`/api/items/${item}`)))
  toggle.focus()
  await userEvent.keyboard('{Enter}')
  expect(devtools.element.open).toBe(true)
  expect(toggle.getAttribute('aria-expanded')).toBe('true')
  expect(inside()).toBe(find(devtools, '.canvas'))
  await expect.poll(() => drawn(devtools, 'send')).toBe(2)
  const tip = find(devtools, '.tip')!
  await userEvent.keyboard('{ArrowDown}')
  expect(tip.getAttribute('role')).toBe('status')
  expect(tip.textContent).toMatch(/^refresh \(expired\)/)
  await userEvent.keyboard('{ArrowDown}')
  expect(tip.textContent).toMatch(/^GET \/api\/items\/1.*held/)
  expect(find(devtools, '.chosen')).not.toBeNull()
  await userEvent.keyboard('{Escape}')
  expect([tip.hidden, devtools.element.open]).toEqual([true, true])
  await userEvent.keyboard('{Escape}')
  expect(devtools.element.open).toBe(false)
  expect(inside()).toBe(toggle)
  expect(toggle.getAttribute('aria-expanded')).toBe('false')
})

test('left and right change the scene', async () => {
  const { session } = signedIn()
  const devtools = mount(session, inline())
  devtools.element.begin('first')
  await session.fetch('/api/me')
  devtools.element.begin('second')
  await session.fetch('/api/me')
  const title = () => find(devtools, '.scene-title')!.textContent
  await expect.poll(title).toBe('second')
  find(devtools, '.canvas')!.focus()
  await userEvent.keyboard('{ArrowLeft}')
  expect(title()).toBe('first')
  await userEvent.keyboard('{ArrowRight}')
  expect(title()).toBe('second')
})

test('on a phone nothing is wider than the screen', async () => {
  const before = [innerWidth, innerHeight] as const
  onTestFinished(() => page.viewport(...before))
  await page.viewport(360, 640)
  const { session, expire } = signedIn()
  const devtools = mount(session, { open: true })
  expire()
  await Promise.all([1, 2, 3].map((item) => session.fetch(`/api/a/rather/long/path/of/${item}`)))
  await expect.poll(() => drawn(devtools, 'replay')).toBe(3)
  const panel = find(devtools, '.panel')!
  expect(panel.getBoundingClientRect().width).toBe(360)
  expect(panel.scrollWidth).toBeLessThanOrEqual(360)
  expect(panel.getBoundingClientRect().height).toBeLessThanOrEqual(0.7 * 640 + 1)
})

test('a theme of its own', async () => {
  const { session } = signedIn()
  const card = (theme: 'light' | 'dark') =>
    getComputedStyle(mount(session, { ...inline(), theme }).element)
      .getPropertyValue('--card')
      .trim()
  expect(card('light')).toBe('#fff')
  expect(card('dark')).toBe('#14181e')
})

test('removed, it hears nothing more; back in the page, it goes on', async () => {
  const { session } = signedIn()
  const { target } = inline()
  const devtools = mount(session, { target })
  await session.fetch('/api/1')
  devtools.remove()
  await session.fetch('/api/2')
  target.append(devtools.element)
  await session.fetch('/api/3')
  await expect.poll(() => drawn(devtools, 'send')).toBe(2)
})

test('another session begins an empty timeline; what is no session is refused', async () => {
  const devtools = mount(signedIn().session, inline())
  devtools.element.begin('of the first')
  devtools.element.session = signedIn().session
  expect(find(devtools, '.scene-title')!.textContent).toBe('')
  expect(devtools.element.shadowRoot!.querySelectorAll('.canvas svg')).toHaveLength(1)
  expect(() => (devtools.element.session = {} as Session)).toThrow(/no session/)
})

test('refreshes are on a track of their own in the performance panel, while the devtools are there', async () => {
  performance.clearMeasures()
  const { session } = signedIn()
  await session.refresh()
  const devtools = mount(session, inline())
  await session.refresh()
  const tracks = performance.getEntriesByType('measure').map((each) => {
    const { detail } = each as PerformanceMeasure
    return [each.name, detail.devtools.track, detail.devtools.dataType]
  })
  expect(tracks).toEqual([['refresh 2', 'resesh', 'track-entry']])
  devtools.remove()
  await session.refresh()
  expect(performance.getEntriesByType('measure')).toHaveLength(1)
})

test("as a plugin of TanStack's devtools: rendered, with the theme of the host, and destroyed", async () => {
  const { session } = signedIn()
  const { target } = inline()
  const plugin = tanstackPlugin(session)
  expect([plugin.id, plugin.name]).toEqual(['resesh', 'resesh'])
  plugin.render(target, 'dark')
  const [element] = target.children
  expect(element!.localName).toBe('resesh-devtools')
  expect(element!.getAttribute('theme')).toBe('dark')
  plugin.render(target, { theme: 'light', devtoolsOpen: true })
  expect([...target.children]).toEqual([element])
  expect(element!.getAttribute('theme')).toBe('light')
  plugin.destroy()
  expect(target.children).toHaveLength(0)
})
