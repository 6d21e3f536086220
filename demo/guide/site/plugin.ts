// The guide as a plugin of the demo's Vite server: /guide/<page>, rendered from its markdown file at each visit.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { backendPages, guidePages } from './pages.ts'
import { renderPage } from './render.ts'

const template = fileURLToPath(new URL('template.html', import.meta.url))

export const guide = (): Plugin => ({
  name: 'guide',
  configureServer(vite) {
    vite.middlewares.use((message, response, next) => {
      const url = message.url ?? ''
      const name = /^\/guide\/([\w/-]*)(?:[?#]|$)/.exec(url)?.[1]
      const page = [...guidePages(), ...backendPages()].find((each) => each.name === (name || 'start'))
      if (name === undefined || !page) return next()
      vite.transformIndexHtml(url, renderPage(page, readFileSync(template, 'utf8'))).then((html) => {
        response.setHeader('content-type', 'text/html; charset=utf-8')
        response.end(html)
      }, next)
    })
  },
})
