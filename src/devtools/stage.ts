// Where things go: one scene, laid out for one width and one moment. Numbers only, no drawing.

import type { Drawn, Scene } from './scene.ts'
import { type Scale, scaleOf } from './scale.ts'

export interface Layout {
  readonly left: number
  readonly right: number
  readonly events: number
  readonly calls: number
  readonly callHigh: number
  readonly rows: number
  readonly foot: number
}

export const layout: Layout = { left: 84, right: 20, events: 14, calls: 46, callHigh: 30, rows: 96, foot: 28 }

const few = 5
const low = 190
const tall = 340

/** Pixels for the rows: a handful need less than a crowd. */
export const roomFor = (scene: Scene): number => (scene.requests.length > few ? tall : low)

export interface Stage extends Scale {
  readonly scene: Scene
  readonly now: number
  readonly width: number
  /** Where the rows' area ends. */
  readonly bottom: number
  /** Where the last row ends. */
  readonly rowsEnd: number
  /** From one row to the next, and how much of that is bar. */
  readonly pitch: number
  readonly bar: number
  /** Pixel of a moment. */
  at(moment: number): number
  /** Top of a row. */
  top(row: number): number
}

export const stageOf = (scene: Scene, room: number, width: number, span: number, now: number): Stage => {
  const scale = scaleOf(span, layout.left, width - layout.right)
  const count = scene.requests.length
  const pitch = Math.min(38, room / Math.max(1, count))
  const bar = pitch >= 30 ? 22 : pitch >= 16 ? 12 : pitch >= 6 ? pitch - 2 : pitch >= 3 ? pitch - 1 : pitch
  return {
    ...scale,
    scene,
    now,
    width,
    pitch,
    bar,
    bottom: layout.rows + room,
    rowsEnd: layout.rows + count * pitch,
    at: (moment) => scale.x(moment - scene.from),
    top: (row) => layout.rows + row * pitch,
  }
}

export const isRefresh = ({ label }: Drawn): boolean => label === 'refresh'
