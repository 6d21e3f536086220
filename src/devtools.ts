// The timeline of a session, in the page: requests, what is held, refreshes with their reason, other tabs, events, back-off; never
// a token. Nothing of it belongs into a production bundle:
// `if (import.meta.env.DEV) import('resesh/devtools').then(({ mountDevtools }) => mountDevtools(session))`.

import { createElement, defineElement, type DevtoolsElement } from './devtools/element.ts'
import type { Session } from './face.ts'
import { assertKnown, type Names } from './known-options.ts'
import type { Undo } from './seam/io.ts'

export type { DevtoolsElement }

export interface DevtoolsOptions {
  /** The element that the timeline is put into, always open. Left out: a panel at the bottom of the page, behind a button. */
  target?: Element
  /** @default false */
  open?: boolean
  /** @default as the system has it */
  theme?: 'light' | 'dark'
}

const OPTIONS: Names<DevtoolsOptions> = { target: true, open: true, theme: true }

/** The mounted devtools. */
export interface Devtools {
  readonly element: DevtoolsElement
  /** Takes them off the page. */
  remove: Undo
}

/**
 * Shows the timeline of a session in the page, from here on.
 *
 * @throws TypeError where there is no page.
 * @example
 * mountDevtools(session)
 */
export function mountDevtools<U, C>(session: Session<U, C>, options: DevtoolsOptions = {}): Devtools {
  assertKnown('mountDevtools', options, OPTIONS)
  const element = createElement()
  const { target, open = false, theme } = options
  element.toggleAttribute('floating', !target)
  if (theme) element.setAttribute('theme', theme)
  element.session = session as unknown as Session
  ;(target ?? document.body).append(element)
  if (open) element.open = true
  return { element, remove: () => element.remove() }
}

/** Defines `<resesh-devtools>`, for those who place it by themselves and set its property `session`. */
export const defineDevtools = (): void => defineElement()

/** What TanStack's devtools host (`@tanstack/devtools`) takes as a plugin: the part of it that is used here. */
export interface DevtoolsPlugin {
  readonly id: string
  readonly name: string
  /** @param theme `'light'` or `'dark'`; newer hosts hand over an object that has it. */
  render(container: HTMLElement, theme?: unknown): void
  destroy(): void
}

/**
 * The devtools as a plugin of TanStack's devtools host.
 *
 * @example
 * new TanStackDevtoolsCore({ plugins: [tanstackPlugin(session)] }).mount(document.body)
 */
export function tanstackPlugin<U, C>(session: Session<U, C>): DevtoolsPlugin {
  let mounted: Devtools | null = null

  function destroy(): void {
    mounted?.remove()
    mounted = null
  }

  return {
    id: 'resesh',
    name: 'resesh',
    render(container, given) {
      const theme = typeof given === 'object' && given ? (given as { theme?: unknown }).theme : given
      // Rendered again, as after a change of the theme: what was recorded stays.
      if (mounted && mounted.element.parentNode === container) setTheme(mounted.element, theme)
      else {
        destroy()
        mounted = mountDevtools(session, { target: container })
        setTheme(mounted.element, theme)
      }
    },
    destroy,
  }
}

function setTheme(element: DevtoolsElement, theme: unknown): void {
  if (theme === 'light' || theme === 'dark') element.setAttribute('theme', theme)
}
