// What the pointer is on, in words. Pure.

import { type Phase, phasesOf } from './phases.ts'
import { inWords } from './scale.ts'
import { layout, type Stage } from './stage.ts'

const words: Record<Phase, string> = { send: 'sent', hold: 'held', replay: 'replayed', failed: 'refused' }
const reach = 6

/** Line by line; nothing where there is nothing. */
export const under = ({ scene, now, ms, at, pitch }: Stage, left: number, top: number): string[] => {
  const moment = scene.from + ms(left)
  const since = (time: number) => inWords(time - scene.from)
  if (top < layout.calls - 4) {
    const near = scene.marks.filter((mark) => Math.abs(at(mark.at) - left) < reach)
    return near.map((mark) => `${since(mark.at)}  ${mark.text}`)
  }
  if (top < layout.rows - 4) {
    const call = scene.calls.find(({ from, to }) => from <= moment && moment <= (to ?? now))
    if (!call) return []
    const time = `${since(call.from)} to ${call.to === undefined ? 'now' : since(call.to)}`
    return [call.label, time, String(call.failed ?? call.status ?? '')]
  }
  const request = scene.requests[Math.floor((top - layout.rows) / pitch)]
  if (!request) return []
  const told = phasesOf(request, now).map(({ phase, from, to, status }) => {
    if (phase === 'failed' && status === undefined) return `failed: ${request.failed}`
    return `${words[phase]} ${since(from)} to ${since(to)}${status === undefined ? '' : `, ${status}`}`
  })
  return [request.label, ...told]
}
