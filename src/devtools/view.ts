// The timeline in a shadow root: shows one scene, follows it while it lives, and tells what is under the pointer or chosen by
// the arrow keys.

import type { Undo } from '../seam/io.ts'
import { draw } from './draw.ts'
import { ghost } from './ghost.ts'
import type { Recorder } from './recorder.ts'
import { inWords } from './scale.ts'
import type { Drawn, Scene } from './scene.ts'
import { layout, roomFor, type Stage, stageOf } from './stage.ts'
import { describeCall, describeRequest, under } from './under.ts'

const SHORTEST_MS = 120

export const TIMELINE = `
  <figure class="timeline ghost">
    <figcaption>
      <span class="scene-title"></span>
      <ul class="legend">
        <li class="send">first send</li><li class="hold">held</li><li class="refresh">the refresh</li>
        <li class="replay">replay</li><li class="failed">failed</li>
      </ul>
      <span class="scene-nav">
        <button type="button" class="quiet" data-step="-1" aria-label="Earlier">‹</button>
        <span class="scene-count"></span>
        <button type="button" class="quiet" data-step="1" aria-label="Later">›</button>
      </span>
    </figcaption>
    <div class="canvas" tabindex="0" role="group"
      aria-label="Timeline. Up and down read entry by entry, left and right change the scene."></div>
    <div class="tip" role="status" hidden></div>
  </figure>
  <details class="log"><summary>In words</summary><ol></ol></details>`

const find = <E extends HTMLElement = HTMLElement>(root: ParentNode, selector: string): E =>
  root.querySelector<E>(selector)!

export function showTimeline(root: ParentNode, recorder: Recorder): Undo {
  const figure = find(root, '.timeline')
  const canvas = find(figure, '.canvas')
  const tip = find(figure, '.tip')
  const log = find<HTMLDetailsElement>(root, '.log')
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('aria-hidden', 'true')
  canvas.append(svg)

  let shown: Scene = ghost()
  let stage: Stage | undefined
  let span = SHORTEST_MS
  let room = 0
  let due = 0
  let chosen = -1
  let told = 0

  function frame(): void {
    due = 0
    // A panel that is closed has no width: what happens meanwhile is drawn once it is open.
    if (canvas.clientWidth === 0) return
    const now = performance.now()
    const isLive = shown.open > 0
    // Drawing takes time from what is drawn.
    if (isLive && stage && now - stage.now < (shown.requests.length > 50 ? 80 : 15)) return plan()
    const wanted = Math.max(SHORTEST_MS, ((isLive ? now : shown.to) - shown.from) * (isLive ? 1.15 : 1.04))
    // Grows at once, settles in a few frames.
    span = isLive ? Math.max(span, wanted) : span + (wanted - span) * 0.25
    if (Math.abs(span - wanted) < wanted / 500) span = wanted
    // Never lower again: what stands below must not jump from under the pointer.
    room = Math.max(room, roomFor(shown))
    stage = stageOf(shown, room, canvas.clientWidth, span, now)
    draw(svg, stage)
    outlineChosen()
    showWords()
    if (isLive || span !== wanted) plan()
  }

  function plan(): void {
    due ||= requestAnimationFrame(frame)
  }

  function show(scene: Scene): void {
    span = SHORTEST_MS
    shown = scene
    stage = undefined
    chosen = -1
    told = 0
    find(log, 'ol').replaceChildren()
    figure.classList.remove('ghost')
    tip.hidden = true
    const place = recorder.scenes.indexOf(scene)
    find(figure, '.scene-title').textContent = scene.title
    find(figure, '.scene-count').textContent = `${place + 1} of ${recorder.scenes.length}`
    for (const button of figure.querySelectorAll<HTMLButtonElement>('[data-step]'))
      button.disabled = !recorder.scenes[place + Number(button.dataset['step'])]
    plan()
  }

  function step(by: number): void {
    const next = recorder.scenes[recorder.scenes.indexOf(shown) + by]
    if (by && next) show(next)
  }

  /** Where nobody looks, nothing is written. */
  function showWords(): void {
    if (!log.open || told === shown.lines.length) return
    const list = find(log, 'ol')
    list.replaceChildren(...shown.lines.map(({ at, text }) => item(inWords(at - shown.from), text)))
    list.scrollTop = list.scrollHeight
    told = shown.lines.length
  }

  function item(time: string, text: string): HTMLElement {
    const line = document.createElement('li')
    line.append(Object.assign(document.createElement('time'), { textContent: time }), text)
    return line
  }

  function tell(lines: readonly string[], left: number, top: number): void {
    tip.hidden = lines.length === 0
    tip.replaceChildren(...lines.map((line) => Object.assign(document.createElement('div'), { textContent: line })))
    const free = canvas.clientWidth - tip.offsetWidth
    tip.style.translate = `${Math.max(0, Math.min(left + 14, free))}px ${top + 14 + canvas.offsetTop}px`
  }

  function hover({ clientX, clientY }: PointerEvent): void {
    const box = canvas.getBoundingClientRect()
    const [left, top] = [clientX - box.left, clientY - box.top]
    tell(stage && !figure.classList.contains('ghost') ? under(stage, left, top) : [], left, top)
  }

  /** Talks with the server first, then the requests. */
  function choose(next: number): void {
    const entries: Drawn[] = [...shown.calls, ...shown.requests]
    if (!stage || entries.length === 0) return
    chosen = Math.max(0, Math.min(next, entries.length - 1))
    const row = chosen - shown.calls.length
    const entry = entries[chosen]!
    const lines = row < 0 ? describeCall(entry, shown) : describeRequest(entry, shown, performance.now())
    const below = row < 0 ? layout.calls + layout.callHigh : stage.top(row) + stage.bar
    tell(lines, stage.at(entry.from), below)
    outlineChosen()
  }

  function outlineChosen(): void {
    svg.querySelector('.chosen')?.remove()
    const entry = [...shown.calls, ...shown.requests][chosen]
    if (!entry || !stage) return
    const row = chosen - shown.calls.length
    const [top, high] = row < 0 ? [layout.calls, layout.callHigh] : [stage.top(row), stage.bar]
    const [left, right] = [stage.at(entry.from), Math.min(stage.width, stage.at(entry.to ?? stage.now))]
    const outline = document.createElementNS('http://www.w3.org/2000/svg', 'rect')
    const box = {
      x: left - 2,
      y: top - 2,
      width: Math.max(4, right - left + 4),
      height: high + 4,
      rx: 3,
      class: 'chosen',
    }
    for (const [name, value] of Object.entries(box)) outline.setAttribute(name, String(value))
    svg.append(outline)
  }

  /** Answers whether the key meant anything. */
  function press(key: string): boolean {
    const steps: { [key: string]: () => void } = {
      ArrowDown: () => choose(chosen + 1),
      ArrowUp: () => choose(chosen - 1),
      Home: () => choose(0),
      End: () => choose(Infinity),
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      ...(!tip.hidden && { Escape: unchoose }),
    }
    steps[key]?.()
    return key in steps
  }

  function unchoose(): void {
    chosen = -1
    tip.hidden = true
    outlineChosen()
  }

  const unwatch = recorder.watch((scene) => {
    if (scene !== shown && scene === recorder.scenes.at(-1)) show(scene)
    plan()
  })
  figure.addEventListener('click', ({ target }) =>
    step(target instanceof HTMLElement ? Number(target.dataset['step']) : 0),
  )
  canvas.addEventListener('keydown', (event) => {
    if (!press(event.key)) return
    event.preventDefault()
    // Escape has hidden the tip: it does not close the panel as well.
    event.stopPropagation()
  })
  canvas.addEventListener('blur', unchoose)
  canvas.addEventListener('pointermove', hover)
  canvas.addEventListener('pointerdown', hover)
  canvas.addEventListener('pointerleave', () => (tip.hidden = true))
  log.addEventListener('toggle', () => plan())
  const resizing = new ResizeObserver(plan)
  resizing.observe(canvas)
  const last = recorder.scenes.at(-1)
  if (last) show(last)
  return () => {
    unwatch()
    resizing.disconnect()
    cancelAnimationFrame(due)
  }
}
