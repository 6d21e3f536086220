// The profile from three sides: stored by the server, as the session has it, and in the token. An edit moves the first only;
// the others follow when a refresh that started after it has come back.

import { $, el } from '../dom.ts'
import { chosen } from '../servers/choice.ts'
import { type Field, read } from '../servers/server.ts'
import type { DemoSession } from '../session.ts'
import { cannot } from './cannot.ts'
import type { DevtoolsElement } from 'resesh/devtools'

const { fields, lacks } = chosen
const titles = {
  nothing: 'Save only',
  token: 'Save, then getToken({ skipCache: true })',
  reload: 'Save, then reload()',
}

export const showProfile = (session: DemoSession, timeline: DevtoolsElement): void => {
  const form = $<HTMLFormElement>('#edit')
  const body = $('#sides')
  const controls = [...form.elements]
  const missing = controls.filter(
    (control) => control.matches('input, select') && !fields.some((field) => field === control.getAttribute('name')),
  )
  const tokenButton = $('[value=token]', form)
  let stored: Record<Field, string> | null = null

  const side = (value: string | undefined, truth: string | undefined) => {
    const isStale = value !== undefined && truth !== undefined && value !== truth
    return el('td', isStale ? 'stale' : '', value ?? '–')
  }
  const render = () => {
    const { user, claims } = session.current
    body.replaceChildren(
      ...fields.map((field) => {
        const row = el(
          'tr',
          '',
          el('th', '', field),
          side(stored?.[field], undefined),
          side(read(user, field), stored?.[field]),
          side(read(claims, field), stored?.[field]),
        )
        row.dataset['field'] = field
        return row
      }),
    )
  }
  const fill = () => {
    for (const field of fields) {
      const input = form.elements.namedItem(field)
      if (input instanceof HTMLInputElement || input instanceof HTMLSelectElement) input.value = stored?.[field] ?? ''
    }
  }
  const load = async (init?: RequestInit) => {
    const response = await session.fetch(`${chosen.at}/api/me`, init)
    if (response.ok) stored = await response.json()
    render()
  }

  const save = async (then: keyof typeof titles) => {
    timeline.begin(titles[then])
    const changes = Object.fromEntries([...new FormData(form)].filter(([name]) => name !== 'then'))
    await load({ method: 'PATCH', body: JSON.stringify(changes), headers: { 'content-type': 'application/json' } })
    if (then === 'token') await session.getToken({ skipCache: true })
    if (then === 'reload') await session.reload()
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const { submitter } = event
    const then = submitter instanceof HTMLButtonElement ? submitter.value : ''
    // What went wrong is in the event log and on the timeline.
    save(then === 'token' || then === 'reload' ? then : 'nothing').catch(() => {})
  })

  let signedInAs: string | undefined
  session.subscribe(({ status, user, claims }) => {
    if (status === 'loading') return
    const id = status === 'authenticated' ? String(user?.['id'] ?? claims?.['sub']) : undefined
    if (id !== signedInAs) {
      signedInAs = id
      stored = null
      fill()
      if (id !== undefined) load().then(fill, () => {})
    }
    for (const control of controls) {
      const isMissing = missing.includes(control) || (control === tokenButton && lacks.token !== undefined)
      control.toggleAttribute('disabled', id === undefined || isMissing)
    }
    render()
  })
  cannot($('#edit-cannot'), {
    [lacks.fields ?? '']: missing,
    [lacks.token ?? '']: [tokenButton],
    [lacks.user ?? '']: [],
  })
}
