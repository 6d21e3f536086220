// The timeline on the page: shows one scene, follows it while it lives, and tells what is under the pointer.

import { $ } from '../dom.ts'
import { draw } from './draw.ts'
import { ghost } from './ghost.ts'
import type { Recorder, Scene } from './recorder.ts'
import { roomFor, type Stage, stageOf } from './stage.ts'
import { under } from './under.ts'

const shortest = 120

export const showTimeline = (recorder: Recorder): void => {
  const figure = $('#timeline')
  const canvas = $('.canvas', figure)
  const tip = $('.tip', figure)
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  canvas.append(svg)

  let shown = ghost()
  let stage: Stage | undefined
  let span = shortest
  let room = 0
  let due = 0

  const frame = () => {
    due = 0
    const now = performance.now()
    const lives = shown.open > 0
    // Drawing takes time from what is drawn.
    if (lives && stage && now - stage.now < (shown.requests.length > 50 ? 80 : 15)) return plan()
    const wanted = Math.max(shortest, ((lives ? now : shown.to) - shown.from) * (lives ? 1.15 : 1.04))
    // Grows at once, settles in a few frames.
    span = lives ? Math.max(span, wanted) : span + (wanted - span) * 0.25
    if (Math.abs(span - wanted) < wanted / 500) span = wanted
    // Never lower again: what stands below must not jump from under the pointer.
    room = Math.max(room, roomFor(shown))
    stage = stageOf(shown, room, canvas.clientWidth, span, now)
    draw(svg, stage)
    if (lives || span !== wanted) plan()
  }
  const plan = () => {
    due ||= requestAnimationFrame(frame)
  }

  const show = (scene: Scene) => {
    span = shortest
    shown = scene
    stage = undefined
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
    const lines = stage && !figure.classList.contains('ghost') ? under(stage, left, top) : []
    tip.hidden = lines.length === 0
    tip.replaceChildren(...lines.map((line) => Object.assign(document.createElement('div'), { textContent: line })))
    const free = canvas.clientWidth - tip.offsetWidth
    tip.style.translate = `${Math.max(0, Math.min(left + 14, free))}px ${top + 14 + canvas.offsetTop}px`
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
