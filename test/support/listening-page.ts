// A page that a test tells what happens to it: it wakes, goes offline, comes back.

import type { Platform } from 'resesh'
import { url } from './session.ts'

export interface ListeningPage {
  readonly platform: Platform
  dispatch(type: string): void
  goOffline(): void
  comeBack(): void
}

export const createPage = (): ListeningPage => {
  const target = new EventTarget()
  const addEventListener = target.addEventListener.bind(target)
  const document = { visibilityState: 'visible', baseURI: url('/'), cookie: '', addEventListener: () => {} }
  const navigator = { onLine: true }
  const dispatch = (type: string): void => void target.dispatchEvent(new Event(type))
  return {
    platform: { document, navigator, addEventListener } as unknown as Platform,
    dispatch,
    goOffline() {
      navigator.onLine = false
      dispatch('offline')
    },
    comeBack() {
      navigator.onLine = true
      dispatch('online')
    },
  }
}
