// Which server the page speaks with: what its URL says, so that a reload and a link keep it.

import { $ } from '../dom.ts'
import { sampleServers } from './sample.ts'
import type { DemoServer } from './server.ts'
import { vendorServers } from './vendors.ts'

export const servers: readonly DemoServer[] = [...sampleServers, ...vendorServers]

const asked = new URLSearchParams(location.search).get('server')

export const chosen: DemoServer = servers.find(({ key }) => key === asked) ?? servers[0]!

const searchFor = (key: string): string => (key === servers[0]!.key ? '' : `?server=${key}`)

/** For the URL of a page that takes the same choice. */
export const sameChoice: string = searchFor(chosen.key)

const FOCUS = 'demo:choice'

/** What is run is what is shown: the text of the function, on one line. */
const codeOf = ({ backend }: DemoServer): string =>
  String(backend)
    .replace(/^\(\) => /, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/([([]) | (?=[)\]])/g, '$1')
    .replaceAll('"', "'")

export const showChoice = (): void => {
  const select = $<HTMLSelectElement>('#server')
  select.append(...servers.map(({ key, title }) => new Option(title, key, false, key === chosen.key)))
  $('#server-code').textContent = `backend: ${codeOf(chosen)}`
  select.addEventListener('change', () => {
    // The page loads again: the keyboard goes on where it was.
    sessionStorage.setItem(FOCUS, '')
    location.assign(location.pathname + searchFor(select.value))
  })
  if (sessionStorage.getItem(FOCUS) !== null) select.focus({ preventScroll: true })
  sessionStorage.removeItem(FOCUS)
}
