// WorkOS's organization switcher, and a permission that is checked on both sides.

import { StepUpRequiredError } from 'resesh'
import { $, el } from '../../dom.ts'
import { serverDoes, showExample } from '../shell.ts'
import { mayPublish, publish, server, session, signIn, switchTo, wire } from './example.ts'

const names: Record<string, string> = { org_acme: 'Acme', org_globex: 'Globex', org_initech: 'Initech' }
const nameOf = (id: string | null | undefined) => names[id ?? ''] ?? 'no organization'
const buttons = [...$('#organizations').querySelectorAll('button')]
let roles: Record<string, string> = {}

showExample({ session, wire, source: import('./example.ts?raw'), signIn })

const chips = (values: string[] = []): (Node | string)[] =>
  values.length > 0 ? values.map((value) => el('span', 'chip', value)) : ['–']
const fact = (name: string, ...value: (Node | string)[]) => el('div', '', el('dt', '', name), el('dd', '', ...value))
const here = () => session.current.organizationId ?? ''

const other = () => (roles[here()] === 'admin' ? 'member' : 'admin')
const offer = () => ($('#promote').textContent = `Make her ${other()}${here() && ` of ${nameOf(here())}`}`)

session.subscribe(({ status, claims, organizationId, user }) => {
  const isIn = status === 'authenticated'
  const { role, permissions, entitlements, featureFlags, impersonator } = claims ?? {}
  $('#info').replaceChildren(
    fact('user', isIn ? `${user?.firstName}, ${user?.email}` : '–'),
    fact('organization', isIn ? nameOf(organizationId) : '–'),
    fact('role', role ?? '–'),
    fact('permissions', ...chips(permissions)),
    fact('entitlements', ...chips(entitlements)),
    fact('featureFlags', ...chips(featureFlags)),
    fact('impersonator', impersonator?.email ?? '–'),
  )
  for (const button of buttons) button.setAttribute('aria-pressed', String(isIn && button.value === organizationId))
  const verdict = $('#verdict')
  verdict.textContent = !isIn
    ? '–'
    : mayPublish()
      ? 'Yes: posts:write is in the token'
      : 'No: posts:write is not in the token'
  verdict.classList.toggle('yes', mayPublish())
  $<HTMLButtonElement>('#publish').disabled = !mayPublish()
  $('#answer').textContent = ''
  offer()
})

const challenge = $('#challenge')
const select = async (id: string) => {
  challenge.hidden = true
  try {
    await switchTo(id)
  } catch (error) {
    if (!(error instanceof StepUpRequiredError)) throw error
    const { type, url = '', organizationId } = error.challenge
    const go = Object.assign(el('a', '', 'Go there'), { href: url })
    const still = `The session is as it was: Ann is still at ${nameOf(here())}. `
    challenge.replaceChildren(el('b', '', `${nameOf(organizationId)} asks for ${type}. `), still, go)
    go.addEventListener('click', (event) => event.preventDefault())
    challenge.hidden = false
  }
}
for (const button of buttons) button.addEventListener('click', () => void select(button.value))

const ask = async () => {
  const { status } = await publish()
  $('#answer').textContent = status === 201 ? 'The server: 201, published.' : `The server: ${status}, forbidden.`
}
for (const id of ['#publish', '#ask']) $(id).addEventListener('click', () => void ask())

$('#promote').addEventListener('click', () => {
  roles = { ...roles, [here()]: other() }
  void serverDoes(server, 'edit', { roles }).then(offer)
})
$('#refresh').addEventListener('click', () => void session.refresh())

void serverDoes(server, 'edit').then((user) => {
  roles = user['roles'] as typeof roles
  offer()
})
