// The requests as SVG: one row each. All rows of one phase are one path, so that two hundred of them redraw in every frame.

import { type Phase, phasesOf } from './phases.ts'
import { escaped, px, wideAs } from './scale.ts'
import { layout, type Stage } from './stage.ts'

const many = 40
const counted = { send: 'sent', hold: 'held', replay: 'replayed', failed: 'refused' }

export const rowPaths = ({ scene, now, at, top, bar }: Stage): Record<Phase, string> => {
  const paths: Record<Phase, string> = { send: '', hold: '', replay: '', failed: '' }
  scene.requests.forEach((request, row) => {
    for (const { phase, from, to } of phasesOf(request, now)) {
      const left = at(from)
      const wide = Math.max(phase === 'failed' ? 4 : 1, at(to) - left)
      paths[phase] += `M${px(left)} ${px(top(row))}h${px(wide)}v${px(bar)}h${px(-wide)}z`
    }
  })
  return paths
}

/** The label of each row, where there is room for it: after the bar, else before it, else on it. */
export const rowLabels = ({ scene, now, at, top, bar, pitch, width }: Stage): string =>
  pitch < 16
    ? ''
    : scene.requests
        .map(({ label, status, failed, from, to }, row) => {
          const said = String(failed ?? status ?? '')
          const [start, end] = [at(from), at(to ?? now)]
          const wide = wideAs(`${label} ${said}`) + 8
          const [x, anchor] =
            end + wide <= width
              ? [end + 8, 'start']
              : start - wide >= layout.left
                ? [start - 8, 'end']
                : [(start + end) / 2, 'middle']
          const y = top(row) + bar / 2
          return `<text class="row" x="${px(x)}" y="${px(y)}" dy=".35em" text-anchor="${anchor}">${escaped(label)} <tspan>${escaped(said)}</tspan></text>`
        })
        .join('')

/** What a crowd of rows did, written where it is widest. */
export const crowdLabels = ({ scene, now, at, pitch, bottom }: Stage): string => {
  if (scene.requests.length < many) return ''
  const bars = scene.requests.flatMap((request, row) => phasesOf(request, now).map((one) => ({ ...one, row })))
  return (['send', 'hold', 'replay', 'failed'] as const)
    .map((phase) => {
      const same = bars.filter((one) => one.phase === phase)
      const widest = same.sort((a, b) => b.to - b.from - (a.to - a.from))[0]
      if (!widest || at(widest.to) - at(widest.from) < 120) return ''
      const x = (at(widest.from) + at(widest.to)) / 2
      const y = Math.min(bottom - 24, layout.rows + Math.max(24, widest.row * pitch))
      const words = `${same.length} ${counted[phase]}`
      return `<text class="crowd ${phase}" x="${px(x)}" y="${px(y)}" dy=".35em" text-anchor="middle">${words}</text>`
    })
    .join('')
}
