// The last events of the session, and their marks on the timeline.

import { $, el } from '../dom.ts'
import type { DemoSession } from '../session.ts'
import type { Recorder } from '../timeline/recorder.ts'

const most = 30

export const showLog = (session: DemoSession, recorder: Recorder): void => {
  const list = $('#log')
  const write = (type: string, what: string, detail: string) => {
    const time = new Date().toLocaleTimeString('en-GB')
    list.prepend(el('li', type, el('time', '', time), el('b', '', type), el('span', '', what), el('small', '', detail)))
    list.children[most]?.remove()
    recorder.mark(type, `${type}: ${what}`)
  }

  session.on('change', ({ reason, source, changed }) =>
    write('change', reason, `${changed.join(', ')}${source === 'this-tab' ? '' : ` (${source})`}`),
  )
  session.on('error', ({ error }) => write('error', error.code, error.message))
  session.on('trace', ({ type }) => type === 'adopt' && recorder.mark(type, 'adopted from another tab'))
}
