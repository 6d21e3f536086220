// Switches for the sample server's faults. Those that strike once go off by themselves when they have.

import { $, el } from '../dom.ts'
import { askServer, type DemoSession, type Knobs, type ServerState } from '../session.ts'

interface Switch {
  readonly label: string
  readonly isOn: (knobs: Knobs) => boolean
  readonly set: (knobs: Knobs, on: boolean) => Partial<Knobs>
}

const once = (label: string, fault: number | string): Switch => ({
  label,
  isOn: ({ refreshFailures }) => refreshFailures.includes(fault),
  set: ({ refreshFailures }, on) => ({
    refreshFailures: on ? [...refreshFailures, fault] : refreshFailures.filter((one) => one !== fault),
  }),
})

const calm = 140
const switches: Switch[] = [
  {
    label: 'Slow refresh, 1.5 s',
    isOn: ({ refreshDelayMs }) => refreshDelayMs > calm,
    set: (_, on) => ({ refreshDelayMs: on ? 1500 : calm }),
  },
  once('Next refresh: 500', 500),
  once('Next refresh: answer lost', 'drop-after'),
  {
    label: 'The API always says 401',
    isOn: ({ alwaysExpired }) => alwaysExpired,
    set: (_, on) => ({ alwaysExpired: on }),
  },
]

export const showFaults = (session: DemoSession): void => {
  let knobs: Knobs | undefined
  const rows = switches.map(({ label, set }) => {
    const input = Object.assign(document.createElement('input'), { type: 'checkbox', role: 'switch' })
    input.addEventListener('change', () => {
      if (knobs) void askServer<Knobs>('knobs', set(knobs, input.checked)).then(render)
    })
    return { input, row: el('label', 'switch', input, label) }
  })
  const render = (now: Knobs) => {
    knobs = now
    rows.forEach(({ input }, index) => (input.checked = switches[index]!.isOn(now)))
  }
  const read = () => void askServer<ServerState>('state').then((state) => render(state.knobs))

  $('#faults').append(...rows.map(({ row }) => row))
  session.on('trace', ({ type }) => type === 'refresh-end' && read())
  // Another tab may have set them meanwhile.
  addEventListener('focus', read)
  read()
}
