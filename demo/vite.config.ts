// The demo in one process: the pages, the library from its sources, and the servers behind the same origin.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { createSampleServer } from '../test/servers/sample/server.ts'
import { sampleServer } from '../test/servers/sample/vite.ts'
import { aliases } from '../test/setup/aliases.mjs'
import { frame } from './examples/frame.ts'
import { guide } from './guide/site/plugin.ts'
import { vendors } from '../test/servers/vendors/vite.ts'

const project = fileURLToPath(new URL('..', import.meta.url))

// Slow enough to see a refresh happen. The grace window is what lets a lost answer be asked for again. A cookie's token is not
// renewed in silence: a page has to ask for it.
const server = createSampleServer({
  knobs: { refreshDelayMs: 140, apiDelayMs: 4, graceMs: 10_000, bffSilentRefresh: false },
})

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [sampleServer(server), vendors(), frame(), guide()],
  resolve: {
    alias: aliases('src'),
  },
  // Known from the start, or the first visit reloads itself.
  optimizeDeps: { include: ['jwt-decode', 'mitt', 'oauth4webapi'] },
  server: {
    host: '127.0.0.1',
    open: process.env['CI'] ? false : '/',
    fs: { allow: [project] },
  },
})
