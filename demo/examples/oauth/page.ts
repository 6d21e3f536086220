// A login by redirect: what the page's address shows, who is signed in, a step-up, and a logout.

import { LoginError } from 'resesh'
import { $, el } from '../../dom.ts'
import { serverDoes, showExample } from '../shell.ts'
import { call, handleRedirect, login, logout, server, session, wire } from './example.ts'

const outcome = $('#outcome')
const show = (title: string, text: string) => {
  outcome.replaceChildren(el('b', '', `${title} `), text)
  outcome.hidden = false
}

showExample({ session, wire, source: import('./example.ts?raw'), signIn: () => login() })

const fact = (name: string, value: unknown) =>
  el('div', '', el('dt', '', name), el('dd', '', typeof value === 'string' && value ? value : '–'))
const render = () => {
  const { user } = session.current
  const extras = session.extras ?? {}
  $('#info').replaceChildren(
    fact('address', location.pathname + location.search),
    fact('sessionStorage', sessionStorage.length ? 'a login under way' : 'empty'),
    fact('user', user?.['name']),
    fact('acr', user?.['acr']),
    fact('scope', extras['scope']),
    fact('extras', Object.keys(extras).join(', ')),
  )
}
session.subscribe(render)

const ask = async (path: string) => {
  const { status } = await call(path)
  $('#answer').textContent = `${path}: ${status}`
}
$('#call').addEventListener('click', () => void ask('/api/me'))
$('#vault').addEventListener('click', () => void ask('/api/vault'))
$('#expire').addEventListener('click', () => void serverDoes(server, 'expire'))
$('#logout').addEventListener('click', () => void logout())

try {
  const back = await handleRedirect()
  if (back) show('Signed in.', 'The code was exchanged for tokens, and the address is as it was before the login.')
} catch (error) {
  if (!(error instanceof LoginError)) throw error
  show(`${error.reason}.`, error.message)
}
render()
