// One scene as SVG: events as flags, the session's own calls as wide bars, requests as rows. All rows of one phase are one
// path, so that two hundred of them redraw in every frame.

import { phasesOf, type Phase } from './phases.ts'
import type { Drawn, Scene } from './recorder.ts'
import { inWords, onAxis, type Scale, scaleOf } from './scale.ts'

export const layout = { left: 84, right: 20, events: 14, calls: 46, callHigh: 30, rows: 96, rowsHigh: 340, foot: 30 }
export const height = layout.rows + layout.rowsHigh + layout.foot

/** From one row to the next, and how much of that is bar. */
export const rowsOf = (count: number): { pitch: number; bar: number } => {
  const pitch = Math.min(38, layout.rowsHigh / Math.max(1, count))
  return { pitch, bar: pitch >= 30 ? 22 : pitch >= 16 ? 12 : pitch >= 6 ? pitch - 2 : pitch >= 3 ? pitch - 1 : pitch }
}

export const scaleFor = (span: number, width: number): Scale => scaleOf(span, layout.left, width - layout.right)

const text = (value: string): string => value.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
const px = (value: number): string => String(Math.round(value * 10) / 10)

const rowPaths = (scene: Scene, { x }: Scale, now: number): Record<Phase, string> => {
  const paths: Record<Phase, string> = { send: '', hold: '', replay: '', failed: '' }
  const { pitch, bar } = rowsOf(scene.requests.length)
  scene.requests.forEach((request, row) => {
    const top = layout.rows + row * pitch
    for (const { phase, from, to } of phasesOf(request, now)) {
      const left = x(from - scene.from)
      const wide = phase === 'failed' ? 4 : Math.max(1, x(to - scene.from) - left)
      paths[phase] += `M${px(left)} ${px(top)}h${px(wide)}v${px(bar)}h${px(-wide)}z`
    }
  })
  return paths
}

const rowLabels = (scene: Scene, { x }: Scale, now: number): string => {
  const { pitch, bar } = rowsOf(scene.requests.length)
  if (pitch < 16) return ''
  const label = ({ label: name, status, failed, to }: Drawn, row: number) =>
    `<text class="row" x="${px(x((to ?? now) - scene.from) + 8)}" y="${px(layout.rows + row * pitch + bar / 2)}" dy=".35em"
    >${text(name)} <tspan>${text(String(failed ?? status ?? ''))}</tspan></text>`
  return scene.requests.map(label).join('')
}

const callNames: Record<string, string> = {
  '/auth/refresh': 'refresh',
  '/auth/user': 'user',
  '/auth/login': 'sign in',
  '/auth/logout': 'sign out',
}

const isRefresh = ({ label }: Drawn) => callNames[label] === 'refresh'
const foot = (scene: Scene) => layout.rows + scene.requests.length * rowsOf(scene.requests.length).pitch

/** The time of a refresh, down past the rows that wait for it. */
const veils = (scene: Scene, { x }: Scale, now: number): string =>
  scene.calls
    .filter(isRefresh)
    .map(({ from, to }) => {
      const [left, right] = [x(from - scene.from), x((to ?? now) - scene.from)]
      const top = layout.calls + layout.callHigh
      return `<rect class="veil" x="${px(left)}" y="${top}" width="${px(right - left)}" height="${foot(scene) - top}"/>`
    })
    .join('')

const edges = (scene: Scene, { x }: Scale): string =>
  scene.calls
    .filter(isRefresh)
    .flatMap(({ from, to }) => (to === undefined ? [from] : [from, to]))
    .map((time) => {
      const left = px(x(time - scene.from))
      return `<line class="edge" x1="${left}" x2="${left}" y1="${layout.calls + layout.callHigh}" y2="${foot(scene)}"/>`
    })
    .join('')

const many = 40
const counted = { send: 'sent', hold: 'held', replay: 'replayed' }

/** What a crowd of rows did, written where it is widest. */
const crowdLabels = (scene: Scene, { x }: Scale, now: number): string => {
  if (scene.requests.length < many) return ''
  const { pitch } = rowsOf(scene.requests.length)
  const seen = scene.requests.map((request) => phasesOf(request, now))
  return (['send', 'hold', 'replay'] as const)
    .map((phase) => {
      const bars = seen.flatMap((segments, row) =>
        segments.filter((one) => one.phase === phase).map((one) => ({ ...one, row })),
      )
      const widest = bars.reduce(
        (best, one) => (one.to - one.from > best.to - best.from ? one : best),
        bars[0] ?? { from: 0, to: 0, row: 0 },
      )
      const [left, right] = [x(widest.from - scene.from), x(widest.to - scene.from)]
      if (right - left < 120) return ''
      const top = Math.min(layout.rowsHigh - 24, Math.max(24, widest.row * pitch))
      return `<text class="crowd ${phase}" x="${px((left + right) / 2)}" y="${px(layout.rows + top)}" dy=".35em" text-anchor="middle">${bars.length} ${counted[phase]}</text>`
    })
    .join('')
}

const calls = (scene: Scene, { x }: Scale, now: number): string =>
  scene.calls
    .map(({ label, from, to, status, failed }) => {
      const left = x(from - scene.from)
      const wide = Math.max(3, x((to ?? now) - scene.from) - left)
      const kind = callNames[label] ?? label
      const bad = failed !== undefined || (status ?? 200) >= 400
      const took = to === undefined ? '' : ` ${failed ?? (bad ? status : inWords(to - from))}`
      const inside = wide > 70
      return `<g class="call ${kind.replace(' ', '-')}${bad ? ' bad' : ''}">
      <rect x="${px(left)}" y="${layout.calls}" width="${px(wide)}" height="${layout.callHigh}" rx="3"/>
      <text class="${inside ? 'inside' : 'beside'}" x="${px(inside ? left + 10 : left + wide + 6)}" y="${layout.calls + layout.callHigh / 2}" dy=".35em"
      >${text(kind)}<tspan>${text(took)}</tspan></text></g>`
    })
    .join('')

const marks = (scene: Scene, { x }: Scale, width: number, bottom: number): string => {
  let free = 0
  return scene.marks
    .map(({ at, type, text: name }) => {
      const left = x(at - scene.from)
      const wide = name.length * 6.6 + 12
      // To the left of its line where the edge is near, nowhere where another label stands.
      const turned = left + wide > width
      const start = turned ? left - wide : left
      const fits = start >= free
      if (fits) free = start + wide + 6
      const y = layout.events
      return `<g class="mark ${text(type)}"><line x1="${px(left)}" x2="${px(left)}" y1="${y}" y2="${bottom}"/>
      <path d="M${px(left)} ${y - 5}l5 5l-5 5l-5-5z"/>
      ${fits ? `<text x="${px(turned ? left - 10 : left + 10)}" y="${y}" dy=".35em" text-anchor="${turned ? 'end' : 'start'}">${text(name)}</text>` : ''}</g>`
    })
    .join('')
}

const axis = ({ x, ticks }: Scale, bottom: number): string =>
  ticks
    .map(
      (ms) => `<line class="grid" x1="${px(x(ms))}" x2="${px(x(ms))}" y1="${layout.calls - 8}" y2="${bottom}"/>
    <text class="tick" x="${px(x(ms))}" y="${bottom + 18}" text-anchor="middle">${onAxis(ms)}</text>`,
    )
    .join('')

const gutter = (scene: Scene): string => {
  const lane = (name: string, y: number, note = '') =>
    `<text class="lane" x="0" y="${y}" dy=".35em">${name}${note && `<tspan x="0" dy="1.35em">${note}</tspan>`}</text>`
  const count = scene.requests.length
  return (
    lane('Events', layout.events) +
    lane('Session', layout.calls + layout.callHigh / 2) +
    (count ? lane('Requests', layout.rows + 6, String(count)) : '')
  )
}

export const draw = (svg: SVGSVGElement, scene: Scene, width: number, span: number, now: number): void => {
  const scale = scaleFor(span, width)
  const bottom = layout.rows + layout.rowsHigh + 6
  const rows = rowPaths(scene, scale, now)
  const path = (phase: Phase) => `<path class="rows ${phase}" d="${rows[phase]}"/>`
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`)
  svg.setAttribute('width', String(width))
  svg.setAttribute('height', String(height))
  svg.innerHTML =
    axis(scale, bottom) +
    veils(scene, scale, now) +
    path('hold') +
    path('send') +
    path('replay') +
    path('failed') +
    edges(scene, scale) +
    crowdLabels(scene, scale, now) +
    calls(scene, scale, now) +
    marks(scene, scale, width, bottom) +
    rowLabels(scene, scale, now) +
    gutter(scene)
}
