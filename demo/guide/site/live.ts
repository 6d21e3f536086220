// The panel beside the text: a session on the sample server, buttons for what the pages speak of, and what happens then.

import { debug } from 'resesh/debug'
import { $, el } from '../../dom.ts'
import { showState } from '../../panels/state.ts'
import { chosen } from '../../servers/choice.ts'
import { nameOf } from '../../servers/server.ts'
import { askServer, session } from '../../session.ts'

const MOST_LINES = 60

const log = $('#live-log')

function write(kind: string, text: string): void {
  log.prepend(el('li', kind, text))
  log.children[MOST_LINES]?.remove()
}

async function fetchMany(count: number): Promise<number> {
  const paths = Array.from({ length: count }, (_, item) => `${chosen.at}/api/items/${item + 1}`)
  const responses = await Promise.all(paths.map((path) => session.fetch(path)))
  const served = responses.filter(({ ok }) => ok).length
  write('done', `${served} of ${count} requests were served`)
  return served
}

async function edit(): Promise<void> {
  const name = `Ann ${new Date().toLocaleTimeString('en-GB')}`
  await session.fetch(`${chosen.at}/api/me`, { method: 'PATCH', body: JSON.stringify({ name }) })
  write('done', `reload(): the name is ${nameOf(await session.reload())} now`)
}

/** What each button does, and whether it needs somebody who is signed in. */
const actions: [title: string, needsUser: boolean, run: () => Promise<unknown>][] = [
  ['Sign in', false, () => chosen.signIn(session, 'ann', 'secret')],
  ['Fetch', true, () => fetchMany(1)],
  ['Expire the token', true, () => askServer('expire', {})],
  ['Fetch 20 at once', true, () => fetchMany(20)],
  ['Edit, then reload()', true, edit],
  ['Sign out', true, () => session.signOut()],
]

for (const [title, needsUser, run] of actions) {
  const button = Object.assign(el('button', '', title), { type: 'button' })
  button.addEventListener('click', () => {
    write('act', title)
    run().catch((error: unknown) => write('error', String(error)))
  })
  session.subscribe(({ status }) => {
    button.disabled = status === 'loading' || needsUser !== (status === 'authenticated')
  })
  $('#live-buttons').append(button)
}

showState(session)

const untilSignedIn = (): Promise<void> =>
  new Promise((resolve) => session.subscribe(({ status }) => status === 'authenticated' && resolve()))

// The page that shows several tabs asks each of them. It may have signed in just now, and this tab is about to hear of it.
addEventListener('message', ({ data, origin, ports: [port] }) => {
  if (origin !== location.origin || !port || typeof data?.fetch !== 'number') return
  void untilSignedIn()
    .then(() => fetchMany(data.fetch as number))
    .then((served) => port.postMessage(served))
})
const line = (text: string): string => text.replace(/^resesh:\w+ /, '')
debug(session, {
  on: true,
  console: {
    log: (text: string) => write('trace', line(text)),
    warn: (text: string) => write('error', line(text)),
  },
})

// On a phone the list of the pages would come before the text.
const pages = document.querySelector<HTMLDetailsElement>('.pages')
if (pages && innerWidth < 900) pages.open = false
