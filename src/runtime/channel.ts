// News between tabs, by BroadcastChannel: a message says that the record has moved or was cleared, and never what it holds. Beside
// the news, a tab may ask whether the tab that it waits for is awake.

import type { Globals } from './globals.ts'
import type { Channel, Clock, Hint, Page } from './ports.ts'

export const noChannel: Channel = {
  post: () => false,
  listen() {},
  answerWhile() {},
  isAnswered: async () => true,
}

const CLEARED = 'cleared'
const QUESTION = 'busy?'
const ANSWER = 'busy'
// A script that does not answer for so long stands still.
const ANSWER_MS = 500

export function createTabChannel(
  get: Globals,
  name: string,
  { onSleep, onWake }: Page,
  { after }: Clock,
  disposed: AbortSignal,
): Channel {
  let channel: BroadcastChannel | undefined
  let onHint = (_hint: Hint): void => {}
  const asking = new Set<() => void>()
  let isBusy = (): boolean => false

  function hear(message: unknown): void {
    if (message === ANSWER) asking.forEach((hasAnswer) => hasAnswer())
    else if (message !== QUESTION) onHint(message === CLEARED ? 'cleared' : 'moved')
    else if (isBusy()) channel?.postMessage(ANSWER)
  }

  function open(): void {
    const Class = get('BroadcastChannel')
    if (!Class || channel || disposed.aborted) return
    channel = new Class(name)
    channel.onmessage = ({ data }) => hear(data)
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
    answerWhile: (isSo) => void (isBusy = isSo),
    isAnswered: () =>
      new Promise((resolve) => {
        if (!channel) return resolve(true)
        const end = (isAnswered: boolean): void => {
          stop()
          asking.delete(hasAnswer)
          resolve(isAnswered)
        }
        const hasAnswer = (): void => end(true)
        const stop = after(ANSWER_MS, () => end(false))
        asking.add(hasAnswer)
        channel.postMessage(QUESTION)
      }),
  }
}
