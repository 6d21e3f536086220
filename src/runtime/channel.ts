// News between tabs, by BroadcastChannel: a message says that the record has moved, and never what it holds.

import type { Globals } from './globals.ts'
import type { Channel, Page } from './ports.ts'

export const noChannel: Channel = { post() {}, listen() {} }

export function createTabChannel(
  get: Globals,
  name: string,
  { onSleep, onWake }: Page,
  disposed: AbortSignal,
): Channel {
  let channel: BroadcastChannel | undefined
  let onMessage = (): void => {}

  function open(): void {
    const Class = get('BroadcastChannel')
    if (!Class || channel || disposed.aborted) return
    channel = new Class(name)
    channel.onmessage = () => onMessage()
  }

  // An open channel keeps a page out of the back/forward cache. And it wakes a frozen page for just long enough to begin a read
  // that it can't end: no tab could write until the page thaws.
  function close(): void {
    channel?.close()
    channel = undefined
  }

  onSleep(close)
  onWake(open)
  disposed.addEventListener('abort', close)
  return {
    post: () => channel?.postMessage(null),
    listen(run) {
      onMessage = run
      open()
    },
  }
}
