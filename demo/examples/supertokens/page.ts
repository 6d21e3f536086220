// SuperTokens' six steps: each is ticked when its call goes over the wire.

import { $ } from '../../dom.ts'
import { serverDoes, showExample } from '../shell.ts'
import type { Line } from '../wire.ts'
import { callApi, session, signIn, wire } from './example.ts'
import { mode, server } from './mode.ts'

const steps = [...$('#steps').children]
let isRevoked = false

const stepOf = ({ path, kind, status = 0 }: Line): number => {
  if (path.endsWith('/signin')) return 1
  if (isRevoked) return 6
  if (path.endsWith('/refresh')) return 4
  if (!path.endsWith('/api/me')) return 0
  return kind === 'replay' ? 5 : status >= 400 ? 3 : 2
}

const doing: Record<string, () => Promise<unknown>> = {
  async signIn() {
    isRevoked = false
    steps.forEach((step) => step.classList.remove('done'))
    await signIn()
  },
  call: callApi,
  async expire() {
    await serverDoes(server, 'expire')
    await callApi()
  },
  async revoke() {
    await serverDoes(server, 'revoke')
    await serverDoes(server, 'expire')
    isRevoked = true
    await callApi()
  },
}

showExample({
  session,
  wire,
  source: import('./example.ts?raw'),
  signIn: doing['signIn']!,
  note(line) {
    // A page in cookie mode begins with a question, which is none of the six.
    const step = steps[0]!.classList.contains('done') || line.path.endsWith('/signin') ? stepOf(line) : 0
    if (line.status !== undefined) steps[step - 1]?.classList.add('done')
    return step ? String(step) : ''
  },
})

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-do]'))
  button.addEventListener('click', () => void doing[button.dataset['do']!]!())
for (const link of document.querySelectorAll('.modes a')) {
  link.classList.toggle('here', link.getAttribute('href') === `?mode=${mode}`)
}
