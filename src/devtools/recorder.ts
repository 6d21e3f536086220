// Puts what a session tells into scenes, for the timeline to draw: one for each burst of requests. It draws nothing, and what it
// keeps holds no token.

import { createNarrator } from '../debug/narrator.ts'
import { outcomeText, placeName, tokenName, withoutTokens } from '../debug/words.ts'
import type { Undo } from '../seam/io.ts'
import type { Trace } from '../seam/trace.ts'
import type { Drawn, Scene } from './scene.ts'

type Of<T extends Trace['type']> = Extract<Trace, { type: T }>

// What comes this long after the last of a scene, unasked, is a scene of its own.
const QUIET_MS = 3_000
const MAX_SCENES = 30
const MAX_REQUESTS = 1_000
const MAX_LINES = 300

export interface Recorder {
  readonly scenes: readonly Scene[]
  /** A scene begins now, under this title. */
  begin(title: string): Scene
  onTrace(trace: Trace): void
  /** An event, drawn as a flag. Before the first scene there is nothing to mark. */
  mark(type: string, text: string): void
  /** Calls `run` with each scene that changes. */
  watch(run: (scene: Scene) => void): Undo
}

/** @param now Monotonic ms. @param page The origin of the page, which is left out of URLs. */
export function createRecorder(now: () => number, page: string | undefined): Recorder {
  const scenes: Scene[] = []
  const watchers = new Set<(scene: Scene) => void>()
  const requests = new Map<number, { request: Drawn; scene: Scene }>()
  /** Talks under way, the last one last. */
  const talks: { name: string; call: Drawn; scene: Scene }[] = []
  let backOff: Drawn | undefined

  const narrate = createNarrator((_topic, sentence) => {
    const lines = scenes.at(-1)?.lines
    if (!lines) return
    lines.push({ at: now(), text: withoutTokens(sentence) })
    if (lines.length > MAX_LINES) lines.shift()
  }, page)

  function begin(title: string): Scene {
    const at = now()
    const scene: Scene = { title, from: at, to: at, requests: [], calls: [], marks: [], lines: [], open: 0 }
    scenes.push(scene)
    if (scenes.length > MAX_SCENES) scenes.shift()
    tell(scene)
    return scene
  }

  function currentScene(): Scene {
    const last = scenes.at(-1)
    if (!last) return begin('Page load')
    const isGoingOn = last.open > 0 || now() - last.to < QUIET_MS
    return isGoingOn && last.requests.length < MAX_REQUESTS ? last : begin('In the background')
  }

  function tell(scene: Scene): void {
    for (const run of watchers) run(scene)
  }

  function open(scene: Scene): void {
    scene.open++
    tell(scene)
  }

  function close(scene: Scene): void {
    scene.open--
    scene.to = now()
    tell(scene)
  }

  function noteRequest({ id, method, url }: Of<'send' | 'replay' | 'hold'>): Drawn {
    const known = requests.get(id)
    if (known) return known.request
    const scene = currentScene()
    const request: Drawn = { label: `${method} ${placeName(url, page)}`, from: now(), sends: [] }
    requests.set(id, { request, scene })
    scene.requests.push(request)
    open(scene)
    return request
  }

  function noteResponse({ id, status }: Of<'response'>): void {
    const send = requests.get(id)?.request.sends.at(-1)
    if (send) Object.assign(send, { to: now(), ...(status > 0 && { status }) })
  }

  function endRequest({ id, status, error }: Of<'end'>): void {
    const known = requests.get(id)
    requests.delete(id)
    if (!known) return
    Object.assign(known.request, { to: now() }, error ? { failed: error } : { status })
    close(known.scene)
  }

  function startTalk(name: string, note: string | undefined): void {
    if (backOff) backOff.to = Math.min(backOff.to!, now())
    const scene = currentScene()
    const call: Drawn = { label: name, from: now(), sends: [], ...(note && { note }) }
    scene.calls.push(call)
    talks.push({ name, call, scene })
    open(scene)
  }

  function endTalk(name: string, end: Of<'refresh-end' | 'exchange-end'>): void {
    const talk = talks.filter((each) => each.name === name).at(-1)
    if (!talk) return
    talks.splice(talks.indexOf(talk), 1)
    const { outcome } = end
    Object.assign(talk.call, { to: now(), ended: withoutTokens(outcomeText(end)) })
    if (outcome === 'failed') talk.call.failed = end.code
    if (outcome === 'refused') talk.call.failed = end.reason
    close(talk.scene)
  }

  function noteAnswer({ status, error }: Of<'answer'>): void {
    const call = talks.at(-1)?.call
    if (!call) return
    call.sends.push({ from: now(), status })
    if (!error) call.status = status
  }

  function noteBackOff({ until, at }: Of<'back-off'>): void {
    const scene = currentScene()
    if (backOff) backOff.to = Math.min(backOff.to!, now())
    backOff = { label: 'back-off', from: now(), to: now() + until - at, sends: [] }
    scene.calls.push(backOff)
    tell(scene)
  }

  function mark(type: string, text: string): void {
    if (scenes.length === 0) return
    const scene = currentScene()
    scene.to = now()
    scene.marks.push({ at: scene.to, type, text: withoutTokens(text) })
    tell(scene)
  }

  function draw(trace: Trace): void {
    switch (trace.type) {
      case 'hold':
        return void noteRequest(trace)
      case 'send':
      case 'replay':
        return void noteRequest(trace).sends.push({ from: now() })
      case 'response':
        return noteResponse(trace)
      case 'end':
        return endRequest(trace)
      case 'refresh-start':
        return startTalk('refresh', trace.reason)
      case 'refresh-end':
        return endTalk('refresh', trace)
      case 'exchange-start':
        return startTalk(trace.operation, undefined)
      case 'exchange-end':
        return endTalk(trace.operation, trace)
      case 'answer':
        return noteAnswer(trace)
      case 'back-off':
        return noteBackOff(trace)
      case 'give-up':
        return mark('error', 'too many refreshes failed: none is sent')
      case 'token':
        return trace.source === 'other-tab' ? mark('adopt', `${tokenName(trace.token)} from another tab`) : undefined
      default:
    }
  }

  return {
    scenes,
    begin,
    onTrace(trace) {
      draw(trace)
      narrate(trace)
    },
    mark,
    watch(run) {
      watchers.add(run)
      return () => watchers.delete(run)
    },
  }
}
