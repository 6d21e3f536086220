// Clerk's birthday from three sides, and an organization in two ways.

import { $, el } from '../../dom.ts'
import { serverDoes, showExample } from '../shell.ts'
import { newToken, newTokenAndUser, save, server, session, signIn, switchTo, tokenFor, wire } from './example.ts'

const form = $<HTMLFormElement>('#birthday')
const organization = $<HTMLFormElement>('#organization')
const personal = 'the personal account'
let stored: string | undefined

interface Birthday {
  birthday?: string
}

showExample({ session, wire, source: import('./example.ts?raw'), signIn })

const side = (value: string | undefined, isTruth = false) =>
  el('td', !isTruth && value && value !== stored ? 'stale' : '', value ?? '–')

const render = () => {
  const { user, claims, organizationId, status } = session.current
  const isIn = status === 'authenticated'
  $('#sides').replaceChildren(
    el(
      'tr',
      '',
      el('th', '', 'birthday'),
      side(isIn ? stored : undefined, true),
      side((user?.['public_metadata'] as Birthday | undefined)?.birthday),
      side((claims as Birthday | null)?.birthday),
    ),
  )
  $('#at').textContent = isIn ? (organizationId ?? personal) : '–'
  if (!isIn) $('#token-for').textContent = '–'
}
session.subscribe(render)

const isSaying = (event: SubmitEvent): string => {
  event.preventDefault()
  return event.submitter instanceof HTMLButtonElement ? event.submitter.value : ''
}

const submit = async (then: string) => {
  const response = await save(new FormData(form).get('birthday') as string)
  if (response.ok) stored = ((await response.json()) as { birthday: string }).birthday
  render()
  if (then === 'token') await newToken()
  if (then === 'reload') await newTokenAndUser()
}
form.addEventListener('submit', (event) => void submit(isSaying(event)))

const shown = (token: string | null) => {
  const payload = token?.split('.')[1]?.replaceAll('-', '+').replaceAll('_', '/')
  const claims = payload ? (JSON.parse(atob(payload)) as { o?: { id: string } }) : undefined
  $('#token-for').textContent = claims ? (claims.o?.id ?? personal) : '–'
}
organization.addEventListener('submit', (event) => {
  const id = new FormData(organization).get('organizationId') as string
  if (isSaying(event) === 'token') void tokenFor(id).then(shown)
  else
    void switchTo(id)
      .then(() => session.getToken())
      .then(shown)
})

// What the server has, past the session.
void serverDoes(server, 'edit').then(({ birthday }) => {
  stored = String(birthday)
  form.querySelector('input')!.value = stored
  render()
})
