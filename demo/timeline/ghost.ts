// What the timeline shows before anything happened: the shape of what is to come.

import type { Drawn, Scene } from './recorder.ts'

const path = 'GET /api/items'

export const ghost = (count = 200): Scene => {
  const requests = Array.from({ length: count }, (_, row): Drawn => {
    const refused = 70 + row * 1.8
    const answered = 620 + row * 1.8
    const sends = [
      { from: 0, to: refused },
      { from: 540, to: answered },
    ]
    return { label: path, from: 0, to: answered, sends }
  })
  const refresh = { label: '/auth/refresh', from: 72, to: 540, sends: [] }
  return { title: '', from: 0, to: 980, requests, calls: [refresh], marks: [], open: 0 }
}
