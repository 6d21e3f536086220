// News between tabs, by BroadcastChannel: a message says that the record has moved or was cleared, and never what it holds.

import type { Globals } from './globals.ts'
import type { Channel, Hint, Page } from './ports.ts'

export const noChannel: Channel = { post: () => false, listen() {} }

const CLEARED = 'cleared'

export function createTabChannel(
  get: Globals,
  name: string,
  { onSleep, onWake }: Page,
  disposed: AbortSignal,
): Channel {
  let channel: BroadcastChannel | undefined
  let onHint = (_hint: Hint): void => {}

  function open(): void {
    const Class = get('BroadcastChannel')
    if (!Class || channel || disposed.aborted) return
    channel = new Class(name)
    channel.onmessage = ({ data }) => onHint(data === CLEARED ? 'cleared' : 'moved')
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
    post(hint) {
      channel?.postMessage(hint === 'cleared' ? CLEARED : null)
      return !!channel
    },
    listen(run) {
      onHint = run
      open()
    },
  }
}
