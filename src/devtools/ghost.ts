// What the timeline shows before anything happened: the shape of what is to come.

import type { Drawn, Scene } from './scene.ts'

const rows = 5

export const ghost = (): Scene => {
  const requests = Array.from({ length: rows }, (_, row): Drawn => {
    const to = 640 + row * 70
    const sends = [
      { from: 0, to: 80 + row * 70 },
      { from: 540, to },
    ]
    return { label: '', from: 0, to, sends }
  })
  const refresh = { label: 'refresh', from: 80, to: 540, sends: [] }
  return { title: '', from: 0, to: 980, requests, calls: [refresh], marks: [], lines: [], open: 0 }
}
