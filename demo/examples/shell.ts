// What the pages of the examples share: the way between them, the account, the session, its code, and the wire.

import type { Session } from 'resesh'
import { $, el } from '../dom.ts'
import { showState } from '../panels/state.ts'
import type { Line, Wire } from './wire.ts'

interface Example {
  session: Session<any, any>
  wire: Wire
  /** Of the file that is shown. */
  source: Promise<{ default: string }>
  signIn(): Promise<unknown>
  /** A note on a line, such as the number of a step. */
  note?(line: Line): string
}

/** Past the session: the hand of whoever runs the server. Answers what it stores of the user. */
export const serverDoes = async (server: string, what: string, body: object = {}): Promise<Record<string, unknown>> =>
  (await fetch(`${server}/stand/${what}`, { method: 'POST', body: JSON.stringify(body) })).json()

const pages = {
  '/': 'Timeline',
  '/guide/start': 'Guide',
  tabs: 'Tabs',
  oauth: 'OAuth',
  supertokens: 'SuperTokens',
  clerk: 'Clerk',
  workos: 'WorkOS',
  roq: 'ROQ',
}

/** The way between the pages. */
export const showWays = (): void => $('.top').after(ways())

const ways = (): HTMLElement => {
  const links = Object.entries(pages).map(([name, title]) => {
    const href = name.startsWith('/') ? name : `/examples/${name}/`
    return Object.assign(el('a', location.pathname === href ? 'here' : '', title), { href })
  })
  const nav = el('nav', 'ways', ...links)
  nav.setAttribute('aria-label', 'Examples')
  return nav
}

const showAccount = ({ session, signIn }: Example): void => {
  const enter = Object.assign(el('button', 'primary', 'Sign in as Ann'), { id: 'enter', type: 'button' })
  const leave = Object.assign(el('button', 'quiet', 'Sign out'), { id: 'leave', type: 'button' })
  const account = el('div', 'signed-in', el('span', 'who', 'Ann'), leave)
  enter.addEventListener('click', () => void signIn())
  leave.addEventListener('click', () => void session.signOut())
  $('.top').append(enter, account)
  session.subscribe(({ status }) => {
    enter.hidden = status !== 'unauthenticated'
    account.hidden = status !== 'authenticated'
    document.body.dataset['status'] = status
    for (const button of document.querySelectorAll<HTMLButtonElement>('.stage button:not([data-open])'))
      button.disabled = status !== 'authenticated'
  })
}

const showWire = ({ session, wire, note }: Example): void => {
  const list = $('#wire')
  const shown = new Map<Line, HTMLElement>()
  const told = (sign: string, parts: string[]) =>
    parts.length > 0 ? [el('p', '', el('i', '', sign), ...parts.map((part) => el('span', '', part)))] : []
  const add = (item: HTMLElement) => {
    list.append(item)
    list.scrollTop = list.scrollHeight
  }
  wire.watch((line) => {
    const { method, path, kind, status, sent, got } = line
    const item = shown.get(line) ?? el('li', kind)
    if (!shown.has(line)) add(item)
    shown.set(line, item)
    item.classList.toggle('bad', (status ?? 200) >= 400)
    item.dataset['status'] = String(status ?? '')
    const said = el('b', '', `${method} `, el('span', '', path))
    const badge = note?.(line) ?? ''
    const head = el('div', '', ...(badge ? [el('em', '', badge)] : []), said, el('output', '', String(status ?? '…')))
    item.replaceChildren(head, ...told('→', sent), ...told('←', got))
    list.scrollTop = list.scrollHeight
  })
  session.on('change', ({ reason, changed }) =>
    add(el('li', 'event', el('div', '', el('b', '', `change: ${reason}`), el('small', '', changed.join(', '))))),
  )
}

// Comments stand back; the rest is plain.
const showCode = async (source: Example['source']): Promise<void> => {
  const code = (await source).default.replace(/^\/\/.*\n+/, '').trimEnd()
  $('#code').append(...code.split(/(\/\/ .*)/).map((part) => (part.startsWith('// ') ? el('i', '', part) : part)))
}

const card = (title: string, className: string, ...content: Node[]): HTMLElement =>
  el('section', `card ${className}`, el('h2', '', title), ...content)

export const showExample = (example: Example): void => {
  const id = <E extends HTMLElement>(name: string, element: E): E => Object.assign(element, { id: name })
  showWays()
  const wire = Object.assign(el('ol', ''), { tabIndex: 0, ariaLabel: 'Over the wire' })
  $('main').append(
    card('Over the wire', 'calls', id('wire', wire)),
    card('Session', 'state', id('state', el('dl', '')), el('div', 'life', id('life', el('i', '')))),
    card('The code', 'code', el('pre', '', id('code', el('code', '')))),
  )
  void showCode(example.source)
  showAccount(example)
  showState(example.session)
  showWire(example)
}
