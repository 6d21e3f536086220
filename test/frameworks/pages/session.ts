// What each test page has: a session of the sample server whose listeners are counted, and counts of what was rendered.

import { createSession, type Session, type State } from 'resesh'
import { bearer } from 'resesh/backends/bearer'

export interface User {
  id: string
  name: string
}
export type Select = (state: State<User>) => unknown

/** How each page mounts its components, and what the test asks of it. */
export interface Mounted {
  /** That many components that show what `select` takes of the state. */
  mount(count: number, select: Select): void | Promise<void>
  unmount(): void | Promise<void>
}

export const session: Session<User> = createSession<User>({
  backend: bearer({ refreshUrl: '/auth/refresh', signOutUrl: '/auth/logout', userUrl: '/auth/user' }),
  refreshAhead: 'never',
})

export const counts = { listeners: 0, renders: 0 }

/** The same session, for the bindings. */
export const counted: Session<User> = Object.assign(Object.create(session) as Session<User>, {
  subscribe(run: (current: State<User>) => void) {
    counts.listeners++
    const undo = session.subscribe(run)
    return () => {
      counts.listeners--
      undo()
    }
  },
})

/** Shows a selection, and counts that it was shown. */
export function show(selected: unknown): string {
  counts.renders++
  return JSON.stringify(selected) ?? 'undefined'
}

export async function signIn(username = 'ann'): Promise<void> {
  await session.signIn(async ({ fetch }) => {
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ username, password: 'secret' })
    const { accessToken, refreshToken, user } = await (
      await fetch('/auth/login', { method: 'POST', headers, body })
    ).json()
    return { accessToken, refreshToken, expiresInSeconds: 60, user }
  })
}

export async function edit(name: string): Promise<void> {
  await session.fetch('/api/me', { method: 'PATCH', body: JSON.stringify({ name }) })
  await session.reload()
}

/** What the page shows, without what is there twice. */
export const shown = (): string[] => [
  ...new Set(Array.from(document.querySelectorAll('#app [data-item]'), ({ textContent }) => textContent.trim())),
]

/** Whatever a framework puts off has happened. */
export const settle = (): Promise<void> =>
  new Promise((done) => setTimeout(() => requestAnimationFrame(() => done()), 30))

export const expose = (page: Mounted): void =>
  void Object.assign(globalThis, { page: { ...page, session, counts, signIn, edit, shown, settle } })

export type TestPage = Mounted & {
  session: Session<User>
  counts: typeof counts
  signIn: typeof signIn
  edit: typeof edit
  shown: typeof shown
  settle: typeof settle
}
