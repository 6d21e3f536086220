// The custom element `<resesh-devtools>`. Its class is made once a page is there, so that importing it is safe anywhere.

import { noteTrace, remember } from '../debug/history.ts'
import { insideOf } from '../debug/inside.ts'
import { measureSession } from '../debug/timing.ts'
import type { Session } from '../face.ts'
import type { Undo } from '../seam/io.ts'
import { createRecorder, type Recorder } from './recorder.ts'
import { STYLE } from './style.ts'
import { showTimeline, TIMELINE } from './view.ts'

const NAME = 'resesh-devtools'

export interface DevtoolsElement extends HTMLElement {
  /** Whose timeline it shows; `null`: nobody's. Another session begins an empty one. */
  session: Session | null
  /** Whether a floating panel is open. */
  open: boolean
  /** A scene of the timeline begins now, under this title: for an app that wants to name what a click does. */
  begin(title: string): void
}

/** Defines the element, once. @throws TypeError where there is no page. */
export function defineElement(): void {
  if (typeof customElements === 'undefined') throw new TypeError('The devtools need a page: there is none here')
  if (!customElements.get(NAME)) customElements.define(NAME, createClass())
}

export function createElement(): DevtoolsElement {
  defineElement()
  return document.createElement(NAME) as DevtoolsElement
}

/** What a session tells, as long as the element shows it. */
function watch(session: Session, recorder: Recorder): Undo {
  const undos = [
    remember(session),
    session.on('trace', (trace) => {
      noteTrace(session, trace)
      recorder.onTrace(trace)
    }),
    session.on('change', ({ reason, source }) => {
      const by = source === 'this-tab' ? '' : source === 'other-tab' ? ' (another tab)' : ' (the server)'
      recorder.mark('change', `change: ${reason}${by}`)
    }),
    session.on('error', ({ error }) => recorder.mark('error', `error: ${error.code}`)),
    measureSession(session, performance),
  ]
  return () => undos.forEach((undo) => undo())
}

function createClass(): CustomElementConstructor {
  return class extends HTMLElement implements DevtoolsElement {
    #session: Session | null = null
    #recorder: Recorder | null = null
    #undos: Undo[] = []

    constructor() {
      super()
      const root = this.attachShadow({ mode: 'open' })
      root.innerHTML = `<style>${STYLE}</style>
        <button type="button" class="toggle" aria-expanded="false" aria-controls="panel">resesh</button>
        <div class="panel" id="panel" role="region" aria-label="resesh devtools" tabindex="-1">
          <div class="bar"><h2>resesh</h2><button type="button" class="quiet close">Close</button></div>
          <div class="body"></div>
        </div>`
      root.querySelector('.toggle')!.addEventListener('click', () => this.#setOpen(true))
      root.querySelector('.close')!.addEventListener('click', () => this.#setOpen(false))
      root.querySelector<HTMLElement>('.panel')!.addEventListener('keydown', ({ key }) => {
        if (key === 'Escape' && this.#isFloating) this.#setOpen(false)
      })
    }

    get session(): Session | null {
      return this.#session
    }

    set session(session: Session | null) {
      if (session === this.#session) return
      if (session) insideOf(session)
      this.#stop()
      this.#session = session
      this.#recorder = null
      if (this.isConnected) this.connectedCallback()
    }

    get open(): boolean {
      return !this.shadowRoot!.querySelector<HTMLElement>('.panel')!.hidden
    }

    set open(isOpen: boolean) {
      const root = this.shadowRoot!
      root.querySelector<HTMLElement>('.panel')!.hidden = this.#isFloating && !isOpen
      const toggle = root.querySelector<HTMLElement>('.toggle')!
      toggle.hidden = !this.#isFloating || isOpen
      toggle.setAttribute('aria-expanded', String(isOpen))
      root.querySelector<HTMLElement>('.bar')!.hidden = !this.#isFloating
    }

    begin(title: string): void {
      this.#recorder?.begin(title)
    }

    connectedCallback(): void {
      this.open = !this.#isFloating
      const session = this.#session
      if (!session || this.#undos.length > 0) return
      this.#recorder ??= createRecorder(() => performance.now(), insideOf(session).about.page)
      const body = this.shadowRoot!.querySelector('.body')!
      body.innerHTML = TIMELINE
      this.#undos = [showTimeline(body, this.#recorder), watch(session, this.#recorder)]
    }

    disconnectedCallback(): void {
      this.#stop()
    }

    get #isFloating(): boolean {
      return this.hasAttribute('floating')
    }

    /** By the user: the focus goes along. */
    #setOpen(isOpen: boolean): void {
      this.open = isOpen
      this.shadowRoot!.querySelector<HTMLElement>(isOpen ? '.canvas' : '.toggle')!.focus({ preventScroll: true })
    }

    #stop(): void {
      this.#undos.splice(0).forEach((undo) => undo())
    }
  }
}
