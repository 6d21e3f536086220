// What is not a request, as SVG: the session's own calls as wide bars, how far a refresh reaches, and events as flags.

import type { Drawn } from './scene.ts'
import { escaped, inWords, px } from './scale.ts'
import { isRefresh, layout, type Stage } from './stage.ts'

const underCalls = layout.calls + layout.callHigh
const wideAs = (text: string) => text.length * 6.6 + 12

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
  const drawn = (call: Drawn, index: number): string => {
    const { from, to, status, failed } = call
    // A back-off lasts longer than what is drawn.
    const [left, right] = [at(from), Math.min(width, Math.max(at(from) + 3, at(to ?? now)))]
    const isBad = failed !== undefined
    const outcome = to === undefined ? '' : ` ${isBad ? (status ?? failed) : inWords(to - from)}`
    const took = (call.note ? ` ${call.note}` : '') + outcome
    const name = call.label
    const next = scene.calls[index + 1]
    const room = (next ? at(next.from) : width) - right
    const needed = wideAs(name + took)
    const isInside = right - left > needed + 8
    const label =
      isInside || room > needed
        ? `<text class="${isInside ? 'inside' : 'beside'}" x="${px(isInside ? left + 10 : right + 7)}"
        y="${layout.calls + layout.callHigh / 2}" dy=".35em">${escaped(name)}<tspan>${escaped(took)}</tspan></text>`
        : ''
    return `<g class="call ${escaped(name)}${isBad ? ' bad' : ''}"><rect x="${px(left)}" y="${layout.calls}"
      width="${px(right - left)}" height="${layout.callHigh}" rx="3"/>${label}</g>`
  }
  return scene.calls.map(drawn).join('')
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
