// What the pointer is on, in words. Pure.

import { type Phase, phasesOf } from './phases.ts'
import type { Drawn, Scene } from './scene.ts'
import { inWords } from './scale.ts'
import { layout, type Stage } from './stage.ts'

const words: Record<Phase, string> = { send: 'sent', hold: 'held', replay: 'replayed', failed: 'refused' }
const reach = 6

/** What is told of one entry, line by line. */
export function describeCall({ label, note, from, to, ended, sends }: Drawn, scene: Scene): string[] {
  const since = (time: number): string => inWords(time - scene.from)
  const time = `${since(from)} to ${to === undefined ? 'now' : since(to)}`
  const answers = sends.map(({ status }) => status || 'no answer').join(', ')
  return [
    note ? `${label} (${note})` : label,
    time,
    ...(answers ? [`answered ${answers}`] : []),
    ...(ended ? [ended] : []),
  ]
}

export function describeRequest(request: Drawn, { from: start }: Scene, now: number): string[] {
  const since = (time: number): string => inWords(time - start)
  const told = phasesOf(request, now).map(({ phase, from, to, status }) => {
    if (phase === 'failed' && status === undefined) return `failed: ${request.failed}`
    return `${words[phase]} ${since(from)} to ${since(to)}${status === undefined ? '' : `, ${status}`}`
  })
  return [request.label, ...told]
}

/** Line by line; nothing where there is nothing. */
export const under = ({ scene, now, ms, at, pitch }: Stage, left: number, top: number): string[] => {
  const moment = scene.from + ms(left)
  if (top < layout.calls - 4) {
    const near = scene.marks.filter((mark) => Math.abs(at(mark.at) - left) < reach)
    return near.map((mark) => `${inWords(mark.at - scene.from)}  ${mark.text}`)
  }
  if (top < layout.rows - 4) {
    const call = scene.calls.find(({ from, to }) => from <= moment && moment <= (to ?? now))
    return call ? describeCall(call, scene) : []
  }
  const request = scene.requests[Math.floor((top - layout.rows) / pitch)]
  return request ? describeRequest(request, scene, now) : []
}
