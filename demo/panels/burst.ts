// Many requests at an expired session, and what came of them, counted by the server.

import { $ } from '../dom.ts'
import { cannot } from './cannot.ts'
import { chosen } from '../servers/choice.ts'
import { askServer, type DemoSession, type ServerState } from '../session.ts'
import type { DevtoolsElement } from 'resesh/devtools'

type How = 'server' | 'known' | 'few'

const counts = { server: 200, known: 200, few: 5 }
const titles = {
  server: `${counts.server} requests, only the server knows of the expiry`,
  known: `${counts.known} requests, the session knows of its expiry`,
  few: `${counts.few} requests`,
}
const hints = {
  server: 'Only the server knew of the expiry: each request was refused once, held, and replayed.',
  known: 'The session knew of its expiry: each request was held before it was sent.',
  few: 'Refused, held, and replayed after the refresh.',
  good: 'The token is good, so there was nothing to refresh. Press “Expire the token” first.',
  always:
    'Refused with a fresh token, too: each gets its 401, and its route is remembered for as long as that token lives.',
}
const before = {
  unauthenticated: 'Signs you in as Ann, makes her token expire, and sends 200 requests at once.',
  authenticated: 'Makes the token expire, and sends 200 requests at once.',
  loading: '',
}

const until = (time: number) => new Promise((done) => setTimeout(done, time - Date.now()))
const isHow = (how: string | undefined): how is How => how !== undefined && how in counts

export const showBurst = (session: DemoSession, timeline: DevtoolsElement, signIn: () => Promise<void>): void => {
  const buttons = [...document.querySelectorAll<HTMLButtonElement>('[data-fire]')]
  const expireButton = $<HTMLButtonElement>('#expire')
  const figures = $('#figures')
  const hint = $('#fire-hint')
  const reason = chosen.lacks.expiry
  let isBusy = false
  let isFresh = true

  const enable = () => {
    const { status } = session.current
    const isOut = status !== 'authenticated'
    for (const button of buttons) {
      const { fire } = button.dataset
      // The first one signs in by itself.
      const isShut = fire === 'server' ? status === 'loading' : isOut
      button.disabled = isBusy || isShut || (fire === 'known' && reason !== undefined)
    }
    expireButton.disabled = isBusy || isOut
    if (isFresh) hint.textContent = before[status]
  }
  const say = (text: string) => {
    isFresh = false
    hint.textContent = text
  }
  const show = (values: Record<string, string | number>) => {
    for (const [name, value] of Object.entries(values)) $(`[data-figure=${name}]`, figures).textContent = String(value)
  }

  // A token that lives one second, and that second waited for. The faults are meant for the next refresh, not for this.
  const waitForExpiry = async () => {
    say('A token that lives one second runs out…')
    const { refreshFailures, accessTokenLifeSeconds } = (await askServer<ServerState>('state')).knobs
    await askServer('knobs', { accessTokenLifeSeconds: 1, refreshFailures: [] })
    try {
      await session.refresh()
    } finally {
      await askServer('knobs', { accessTokenLifeSeconds, refreshFailures })
    }
    return until((session.current.expiresAt ?? 0) + 50)
  }

  const fire = async (how: How) => {
    if (session.current.status !== 'authenticated') await signIn()
    if (how === 'server') await askServer('expire', {})
    if (how === 'known') await waitForExpiry()
    const { stats, knobs } = await askServer<ServerState>('state')
    timeline.begin(titles[how])
    const from = performance.now()
    const all = await Promise.allSettled(
      Array.from({ length: counts[how] }, (_, item) => session.fetch(`${chosen.at}/api/items/${item + 1}`)),
    )
    const seconds = (performance.now() - from) / 1000
    const { stats: after } = await askServer<ServerState>('state')
    const refreshes = after.refreshes - stats.refreshes
    say(knobs.alwaysExpired ? hints.always : refreshes === 0 ? hints.good : hints[how])
    $('dt', figures).textContent = refreshes === 1 ? 'refresh' : 'refreshes'
    show({
      refreshes,
      wire: after.requests - stats.requests,
      failures: all.filter((one) => one.status === 'rejected' || !one.value.ok).length,
      time: seconds.toFixed(2),
    })
  }

  const run = async (what: () => Promise<void>) => {
    isBusy = true
    enable()
    await what().catch((error: unknown) => say(error instanceof Error ? error.message : String(error)))
    isBusy = false
    enable()
  }
  for (const button of buttons) {
    const { fire: how } = button.dataset
    if (!isHow(how)) continue
    button.addEventListener('click', () => {
      delete figures.dataset['done']
      void run(() => fire(how)).then(() => (figures.dataset['done'] = 'yes'))
    })
  }
  expireButton.addEventListener('click', () => {
    void run(async () => {
      await askServer('expire', {})
      say('From now on the server refuses the token. The page does not know yet: send requests.')
    })
  })
  cannot($('#fire-cannot'), { [reason ?? '']: buttons.filter(({ dataset }) => dataset['fire'] === 'known') })
  session.subscribe(enable)
}
