// The timeline on the page: shows one scene, follows it while it lives, and tells what is under the pointer.

import { $ } from '../dom.ts'
import { draw, layout, rowsOf, scaleFor } from './draw.ts'
import { ghost } from './ghost.ts'
import { phasesOf, type Phase } from './phases.ts'
import type { Recorder, Scene } from './recorder.ts'
import { inWords } from './scale.ts'

const shortest = 120
const words: Record<Phase, string> = { send: 'sent', hold: 'held', replay: 'replayed', failed: 'failed' }

export const showTimeline = (recorder: Recorder): void => {
  const figure = $('#timeline')
  const canvas = $('.canvas', figure)
  const tip = $('.tip', figure)
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  canvas.append(svg)

  let shown = ghost()
  let span = shortest
  let due = 0
  let drawn = 0

  const frame = () => {
    due = 0
    const now = performance.now()
    const lives = shown.open > 0
    // Drawing takes time from what is drawn.
    if (lives && now - drawn < (shown.requests.length > 50 ? 80 : 15)) return plan()
    drawn = now
    const wanted = Math.max(shortest, ((lives ? now : shown.to) - shown.from) * (lives ? 1.15 : 1.04))
    // Grows at once, settles in a few frames.
    span = lives ? Math.max(span, wanted) : span + (wanted - span) * 0.25
    if (Math.abs(span - wanted) < wanted / 500) span = wanted
    draw(svg, shown, canvas.clientWidth, span, now)
    if (lives || span !== wanted) plan()
  }
  const plan = () => {
    due ||= requestAnimationFrame(frame)
  }

  const show = (scene: Scene) => {
    span = shortest
    shown = scene
    figure.classList.remove('ghost')
    tip.hidden = true
    const place = recorder.scenes.indexOf(scene)
    $('.scene-title', figure).textContent = scene.title
    $('.scene-count', figure).textContent = `${place + 1} of ${recorder.scenes.length}`
    for (const button of figure.querySelectorAll<HTMLButtonElement>('[data-step]')) {
      button.disabled = !recorder.scenes[place + Number(button.dataset['step'])]
    }
    plan()
  }

  const hover = (event: PointerEvent) => {
    const box = canvas.getBoundingClientRect()
    const [left, top] = [event.clientX - box.left, event.clientY - box.top]
    const lines = under(shown, scaleFor(span, canvas.clientWidth).ms(left), top, performance.now())
    tip.hidden = lines.length === 0
    tip.replaceChildren(...lines.map((line) => Object.assign(document.createElement('div'), { textContent: line })))
    const room = canvas.clientWidth - tip.offsetWidth
    tip.style.translate = `${Math.max(0, Math.min(left + 14, room))}px ${top + 14 + canvas.offsetTop}px`
  }

  recorder.watch((scene) => {
    if (scene !== shown && scene === recorder.scenes.at(-1)) show(scene)
    plan()
  })
  figure.addEventListener('click', ({ target }) => {
    const step = target instanceof HTMLElement ? Number(target.dataset['step']) : 0
    const next = recorder.scenes[recorder.scenes.indexOf(shown) + step]
    if (step && next) show(next)
  })
  canvas.addEventListener('pointermove', hover)
  canvas.addEventListener('pointerleave', () => (tip.hidden = true))
  figure.classList.add('ghost')
  new ResizeObserver(plan).observe(canvas)
}

/** What the pointer is on, in words. */
const under = (scene: Scene, ms: number, top: number, now: number): string[] => {
  const at = scene.from + ms
  const since = (time: number) => inWords(time - scene.from)
  if (top < layout.calls - 4) {
    const near = scene.marks.filter((mark) => Math.abs(mark.at - at) < (scene.to - scene.from) / 80 + 2)
    return near.map((mark) => `${since(mark.at)}  ${mark.type}: ${mark.text}`)
  }
  if (top < layout.rows - 4) {
    const call = scene.calls.find(({ from, to }) => from <= at && at <= (to ?? now))
    return call
      ? [
          call.label,
          `${since(call.from)} to ${call.to ? since(call.to) : 'now'}`,
          String(call.failed ?? call.status ?? ''),
        ]
      : []
  }
  const { pitch } = rowsOf(scene.requests.length)
  const request = scene.requests[Math.floor((top - layout.rows) / pitch)]
  if (!request) return []
  const told = phasesOf(request, now).map(({ phase, from, to, status }) =>
    phase === 'failed'
      ? `failed: ${request.failed}`
      : `${words[phase]} ${since(from)} to ${since(to)}${status ? `, ${status}` : ''}`,
  )
  return [request.label, ...told]
}
