// ROQ's refetch: a role from three sides, the words of its status, and a platform that is down.

import { $, el } from '../../dom.ts'
import { serverDoes, showExample } from '../shell.ts'
import { changeRole, refetchSession, server, session, signIn, wire } from './example.ts'

const form = $<HTMLFormElement>('#role')
const trouble = $('#error')
let stored: string | undefined

showExample({ session, wire, source: import('./example.ts?raw'), signIn })

const side = (roles: unknown, isTruth = false) => {
  const value = Array.isArray(roles) ? roles.join(', ') : undefined
  return el('td', !isTruth && value && value !== stored ? 'stale' : '', value ?? '–')
}
const render = () => {
  const { user, claims, status } = session.current
  const isIn = status === 'authenticated'
  $('#word').textContent = status
  $('#sides').replaceChildren(
    el(
      'tr',
      '',
      el('th', '', 'roles'),
      side(isIn ? [stored] : undefined, true),
      side(user?.['roles']),
      side(claims?.['roles']),
    ),
  )
}
session.subscribe(render)

const submit = async (then: string) => {
  const response = await changeRole(new FormData(form).get('role') as string)
  if (response.ok) stored = ((await response.json()) as { role: string }).role
  render()
  if (then === 'refresh') await refetch()
}
form.addEventListener('submit', (event) => {
  event.preventDefault()
  void submit(event.submitter instanceof HTMLButtonElement ? event.submitter.value : '')
})

const refetch = async () => {
  trouble.hidden = true
  await refetchSession().catch((error: Error & { code?: string }) => {
    trouble.replaceChildren(el('b', '', `${error.code} `), `${error.message}. status: ${session.current.status}`)
    trouble.hidden = false
  })
}
$('#refetch').addEventListener('click', () => void refetch())
$('#trouble').addEventListener('click', () => {
  void serverDoes(server, 'set', { trouble: "Unexpected token '<'" }).then(refetch)
})

// What the platform has, past the session.
void serverDoes(server, 'edit').then(({ role }) => {
  stored = String(role)
  form.querySelector('select')!.value = stored
  render()
})
