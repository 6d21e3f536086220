// Three tabs side by side: what one of them does, and what the others hear of it.

import { $ } from '../../dom.ts'
import { chosen, sameChoice, showChoice } from '../../servers/choice.ts'
import { askServer, type ServerState, session } from '../../session.ts'
import { showWays } from '../shell.ts'

const PER_TAB = 20

const frames = (): Window[] => Array.from(document.querySelectorAll('iframe'), ({ contentWindow }) => contentWindow!)

const countRefreshes = async (): Promise<number> => (await askServer<ServerState>('state')).stats.refreshes

/** Each tab answers how many of its requests were served. */
const fetchIn = (tab: Window): Promise<number> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', ({ data }) => resolve(data as number))
    port1.start()
    tab.postMessage({ fetch: PER_TAB }, location.origin, [port2])
  })

async function burst(): Promise<void> {
  // This page is a tab, too: what it signs in, the frames are told of.
  if (session.current.status !== 'authenticated') await chosen.signIn(session, 'ann', 'secret')
  await askServer('expire', {})
  const before = await countRefreshes()
  const served = await Promise.all(frames().map(fetchIn))
  const refreshes = (await countRefreshes()) - before
  $('[data-figure=refreshes]').textContent = String(refreshes)
  $('#figures dt').textContent = refreshes === 1 ? 'refresh' : 'refreshes'
  $('[data-figure=served]').textContent = String(served.reduce((sum, each) => sum + each, 0))
}

const button = $<HTMLButtonElement>('#burst')
const outcome = $('#outcome')

showWays()
showChoice()
for (const frame of document.querySelectorAll('iframe')) frame.src = `./tab.html${sameChoice}`
session.subscribe(({ status }) => {
  button.disabled = status === 'loading'
  outcome.textContent =
    status === 'authenticated' ? `${3 * PER_TAB} requests, at the same moment.` : 'Signs you in as Ann first.'
})
button.addEventListener('click', () => {
  burst().catch((error: unknown) => (outcome.textContent = String(error)))
})
