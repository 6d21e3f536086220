// What is not a request, as SVG: the session's own calls as wide bars, how far a refresh reaches, and events as flags.

import type { Drawn } from './scene.ts'
import { escaped, inWords, px, wideAs } from './scale.ts'
import { isRefresh, layout, type Stage } from './stage.ts'

const underCalls = layout.calls + layout.callHigh

/** The time of a refresh, down past the rows that wait for it. */
export const veils = ({ scene, now, at, rowsEnd }: Stage): string =>
  scene.calls
    .filter(isRefresh)
    .map(({ from, to }) => {
      const [left, right] = [at(from), at(to ?? now)]
      const high = Math.max(0, rowsEnd - underCalls)
      return `<rect class="veil" x="${px(left)}" y="${underCalls}" width="${px(right - left)}" height="${px(high)}"/>`
    })
    .join('')

export const edges = ({ scene, at, rowsEnd }: Stage): string =>
  scene.calls
    .filter(isRefresh)
    .flatMap(({ from, to }) => (to === undefined ? [from] : [from, to]))
    .map((moment) => {
      const x = px(at(moment))
      return `<line class="edge" x1="${x}" x2="${x}" y1="${underCalls}" y2="${px(rowsEnd)}"/>`
    })
    .join('')

export const calls = ({ scene, now, at, width }: Stage): string => {
  // Where the last label ends.
  let free = 0
  const y = layout.calls + layout.callHigh / 2

  function labelOf(call: Drawn, index: number, left: number, right: number): string {
    const { label: name, note, from, to, status, failed } = call
    const outcome = to === undefined ? '' : ` ${failed === undefined ? inWords(to - from) : (status ?? failed)}`
    // A label may stand on a back-off, which is an outline.
    const next = scene.calls.slice(index + 1).find(({ label }) => label !== 'back-off')
    const room = (next ? at(next.from) : width) - right
    const inside = left < free ? 0 : right - left - 8
    // As much as there is room for: all of it, else the name alone.
    const texts = [(note ? ` ${note}` : '') + outcome, '']
    const took = texts.find((each) => Math.max(inside, room) > wideAs(name + each))
    if (took === undefined || (name === 'back-off' && inside <= wideAs(name + took))) return ''
    const isInside = inside > wideAs(name + took)
    const x = isInside ? left + 10 : right + 7
    free = x + wideAs(name + took)
    const place = `class="${isInside ? 'inside' : 'beside'}" x="${px(x)}" y="${y}"`
    return `<text ${place} dy=".35em">${escaped(name)}<tspan>${escaped(took)}</tspan></text>`
  }

  function drawCall(call: Drawn, index: number): string {
    const { from, to, label, failed } = call
    // A back-off lasts longer than what is drawn.
    const [left, right] = [at(from), Math.min(width, Math.max(at(from) + 3, at(to ?? now)))]
    return `<g class="call ${escaped(label)}${failed === undefined ? '' : ' bad'}"><rect x="${px(left)}" y="${layout.calls}"
      width="${px(Math.max(0, right - left))}" height="${layout.callHigh}" rx="3"/>${labelOf(call, index, left, right)}</g>`
  }

  return scene.calls.map(drawCall).join('')
}

export const marks = ({ scene, at, width, bottom }: Stage): string => {
  let free = 0
  return scene.marks
    .map(({ at: moment, type, text }) => {
      const left = at(moment)
      const wide = wideAs(text)
      // To the left of its line where the edge is near, nowhere where another label stands.
      const isTurned = left + wide > width
      const start = isTurned ? left - wide : left
      const fits = start >= free
      if (fits) free = start + wide + 6
      const y = layout.events
      const [x, anchor] = isTurned ? [left - 10, 'end'] : [left + 10, 'start']
      const label = `<text x="${px(x)}" y="${y}" dy=".35em" text-anchor="${anchor}">${escaped(text)}</text>`
      return `<g class="mark ${escaped(type)}"><line x1="${px(left)}" x2="${px(left)}" y1="${y}" y2="${px(bottom)}"/>
      <path d="M${px(left)} ${y - 5}l5 5l-5 5l-5-5z"/>${fits ? label : ''}</g>`
    })
    .join('')
}
