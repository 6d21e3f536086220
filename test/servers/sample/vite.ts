// The sample server as a plugin of a Vite dev server: same origin, same process, no proxy.

import type { Plugin } from 'vite'
import { toNode } from './node.ts'
import { createSampleServer, isSamplePath, type SampleServer } from './server.ts'

export const sampleServer = (server: SampleServer = createSampleServer()): Plugin => ({
  name: 'sample-server',
  configureServer(vite) {
    const handle = toNode(server)
    vite.middlewares.use((message, response, next) => {
      if (isSamplePath(message.url ?? '')) void handle(message, response)
      else next()
    })
  },
})
