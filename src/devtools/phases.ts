// What a request did when, from its sends: sent, held, sent again. Pure.

import type { Drawn } from './scene.ts'

export type Phase = 'send' | 'hold' | 'replay' | 'failed'

export interface Segment {
  readonly phase: Phase
  readonly from: number
  readonly to: number
  readonly status?: number
}

// Shorter waits are the machine's, not the session's.
const blink = 4

/** A last send that the server refused, and was handed back as such, is a failure as well. */
export const phasesOf = ({ from, to, status: final = 0, sends, failed }: Drawn, now: number): Segment[] => {
  const segments: Segment[] = []
  let at = from
  const hold = (until: number) => {
    if (until - at > blink) segments.push({ phase: 'hold', from: at, to: until })
  }
  sends.forEach((send, index) => {
    hold(send.from)
    at = send.to ?? now
    const isRefused = final >= 400 && index === sends.length - 1
    const phase = isRefused ? 'failed' : index === 0 ? 'send' : 'replay'
    segments.push({ phase, from: send.from, to: at, ...(send.status !== undefined && { status: send.status }) })
  })
  if (to === undefined || sends.length === 0 || failed) hold(to ?? now)
  if (failed && to !== undefined) segments.push({ phase: 'failed', from: to, to })
  return segments
}
