// The last events of the session.

import { $, el } from '../dom.ts'
import type { DemoSession } from '../session.ts'

const most = 30

export const showLog = (session: DemoSession): void => {
  const list = $('#log')
  const write = (type: string, what: string, detail: string) => {
    const time = new Date().toLocaleTimeString('en-GB')
    list.prepend(el('li', type, el('time', '', time), el('b', '', type), el('span', '', what), el('small', '', detail)))
    list.children[most]?.remove()
  }

  session.on('change', ({ reason, source, changed }) =>
    write('change', reason, `${changed.join(', ')}${source === 'this-tab' ? '' : ` (${source})`}`),
  )
  session.on('error', ({ error }) => write('error', error.code, error.message))
}
