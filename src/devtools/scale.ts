// Time to pixels, round numbers for the axis, and values as text. Pure.

export interface Scale {
  /** Pixel of a time, ms from the start of the scene. */
  x(ms: number): number
  ms(x: number): number
  readonly ticks: readonly number[]
}

const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000]

export const scaleOf = (span: number, left: number, right: number, apart = 84): Scale => {
  const wide = Math.max(1, right - left)
  const step = steps.find((one) => (one / span) * wide >= apart) ?? span
  const ticks: number[] = []
  for (let ms = 0; ms <= span; ms += step) ticks.push(ms)
  return { x: (ms) => left + (ms / span) * wide, ms: (x) => ((x - left) / wide) * span, ticks }
}

export const inWords = (ms: number): string =>
  ms < 10 ? `${Math.round(ms * 10) / 10} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 10) / 100} s`

export const onAxis = (ms: number): string => (ms === 0 ? '0' : ms < 1000 ? `${ms} ms` : `${ms / 1000} s`)

/** About how many pixels a text takes. */
export const wideAs = (text: string): number => text.length * 6.6 + 12

/** As SVG wants it: a tenth of a pixel is fine enough. */
export const px = (value: number): string => String(Math.round(value * 10) / 10)

export const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
