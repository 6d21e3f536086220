// Two hundred requests at an expired session, and what came of them, counted by the server.

import { $ } from '../dom.ts'
import type { Knobs, Stats } from '../../test/servers/sample/server.ts'
import { askServer, type DemoSession } from '../session.ts'
import type { DevtoolsElement } from 'resesh/devtools'

type How = 'server' | 'known'

interface State {
  stats: Stats
  knobs: Knobs
}

const count = 200
const titles = {
  server: `${count} requests, only the server knows of the expiry`,
  known: `${count} requests, the session knows of its expiry`,
}
const hints = {
  server: 'Only the server knows: each is refused once, held, and replayed.',
  known: 'The session knows: each is held before it is sent.',
  always:
    'Refused with a fresh token, too: each gets its 401, and its route is remembered for as long as that token lives.',
}

const serverStats = async () => (await askServer<State>('/sample/state')).stats
const until = (time: number) => new Promise((done) => setTimeout(done, time - Date.now()))

export const showBurst = (session: DemoSession, timeline: DevtoolsElement): void => {
  const buttons = document.querySelectorAll<HTMLButtonElement>('[data-fire]')
  const figures = $('#figures')
  const hint = $('#fire-hint')
  let isBusy = false

  const enable = () => {
    const isSignedIn = session.current.status === 'authenticated'
    for (const button of buttons) button.disabled = isBusy || !isSignedIn
    if (!isSignedIn) hint.textContent = 'Sign in first.'
    else if (hint.textContent === 'Sign in first.') hint.textContent = hints.server
  }
  const show = (values: Record<string, string | number>) => {
    for (const [name, value] of Object.entries(values)) $(`[data-figure=${name}]`, figures).textContent = String(value)
  }

  const expire = async (how: How) => {
    if (how === 'server') return askServer('/sample/expire', {})
    // A token that lives one second, and that second waited for. The faults are meant for the next refresh, not for this.
    hint.textContent = 'A token that lives one second runs out…'
    const { refreshFailures } = (await askServer<State>('/sample/state')).knobs
    await askServer('/sample/knobs', { accessTokenLifeSeconds: 1, refreshFailures: [] })
    try {
      await session.refresh()
    } finally {
      await askServer('/sample/knobs', { accessTokenLifeSeconds: 60, refreshFailures })
    }
    return until((session.current.expiresAt ?? 0) + 50)
  }

  const fire = async (how: How) => {
    await expire(how)
    const { stats: before, knobs } = await askServer<State>('/sample/state')
    hint.textContent = knobs.alwaysExpired ? hints.always : hints[how]
    timeline.begin(titles[how])
    const from = performance.now()
    const all = await Promise.allSettled(
      Array.from({ length: count }, (_, item) => session.fetch(`/api/items/${item + 1}`)),
    )
    const seconds = (performance.now() - from) / 1000
    const after = await serverStats()
    const refreshes = after.refreshes - before.refreshes
    $('dt', figures).textContent = refreshes === 1 ? 'refresh' : 'refreshes'
    show({
      refreshes,
      wire: after.requests - before.requests,
      failures: all.filter((one) => one.status === 'rejected' || !one.value.ok).length,
      time: seconds.toFixed(2),
    })
  }

  for (const button of buttons) {
    button.addEventListener('click', () => {
      isBusy = true
      enable()
      delete figures.dataset['done']
      fire(button.dataset['fire'] === 'known' ? 'known' : 'server')
        .catch((error: unknown) => (hint.textContent = String(error)))
        .finally(() => {
          isBusy = false
          figures.dataset['done'] = 'yes'
          enable()
        })
    })
  }
  session.subscribe(enable)
}
