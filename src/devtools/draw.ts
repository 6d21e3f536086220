// One scene as SVG, put together from back to front.

import type { Phase } from './phases.ts'
import { calls, edges, marks, veils } from './lanes.ts'
import { crowdLabels, rowLabels, rowPaths } from './rows.ts'
import { onAxis, px } from './scale.ts'
import { layout, type Stage } from './stage.ts'

// Half the width of the widest label: a label that is nearer to the edge would be cut off.
const HALF_LABEL = 24

const axis = ({ ticks, x, bottom, width }: Stage): string =>
  ticks
    .map((ms) => {
      const left = px(x(ms))
      const anchor = x(ms) > width - HALF_LABEL ? 'end' : 'middle'
      return `<line class="grid" x1="${left}" x2="${left}" y1="${layout.calls - 8}" y2="${bottom}"/>
      <text class="tick" x="${left}" y="${bottom + 18}" text-anchor="${anchor}">${onAxis(ms)}</text>`
    })
    .join('')

const lane = (name: string, y: number, note = ''): string =>
  `<text class="lane" x="0" y="${y}" dy=".35em">${name}${note && `<tspan x="0" dy="1.35em">${note}</tspan>`}</text>`

const gutter = ({ scene: { requests } }: Stage): string =>
  lane('Events', layout.events) +
  lane('Session', layout.calls + layout.callHigh / 2) +
  (requests.length > 0 ? lane('Requests', layout.rows + 11, requests.length > 1 ? String(requests.length) : '') : '')

export const draw = (svg: SVGSVGElement, stage: Stage): void => {
  const rows = rowPaths(stage)
  const path = (phase: Phase) => `<path class="rows ${phase}" d="${rows[phase]}"/>`
  svg.setAttribute('width', String(stage.width))
  svg.setAttribute('height', String(stage.bottom + layout.foot))
  svg.innerHTML = [
    axis(stage),
    veils(stage),
    ...(['hold', 'send', 'replay', 'failed'] as const).map(path),
    edges(stage),
    calls(stage),
    marks(stage),
    crowdLabels(stage),
    rowLabels(stage),
    gutter(stage),
  ].join('')
}
