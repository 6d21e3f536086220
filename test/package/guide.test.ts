// The guide: every page is in its list, every link leads somewhere, and what it lists is all there is.

import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createSession, InvalidOptionError } from 'resesh'
import { describe, expect, test } from 'vitest'
import { backendPages, guidePages, root, textOf } from '../../demo/guide/site/pages.ts'
import { renderPage, slugOf } from '../../demo/guide/site/render.ts'

const pages = [
  ...guidePages(),
  ...backendPages(),
  { name: 'readme', file: 'README.md', title: 'resesh' },
  { name: 'llms', file: 'llms.txt', title: 'resesh' },
  { name: 'skill', file: 'skills/resesh/SKILL.md', title: 'resesh' },
]
const textOfPage = (name: string): string => textOf({ file: `demo/guide/${name}.md` })

/** Without code, where a `#` begins a comment. */
const prose = (text: string): string => text.replaceAll(/^```.*?^```$/gms, '')

const anchorsOf = (file: string): string[] =>
  Array.from(prose(textOf({ file })).matchAll(/^#+ (.+)$/gm), ([, heading = '']) => slugOf(heading.replaceAll('`', '')))

test('every page of the folder is in the list of the pages', () => {
  const files = readdirSync(join(root, 'demo/guide')).filter((file) => file.endsWith('.md'))
  expect(
    guidePages()
      .map(({ name }) => `${name}.md`)
      .toSorted(),
  ).toEqual(files.toSorted())
})

test.each(pages)('every link of $file leads somewhere', ({ file }) => {
  const dead = Array.from(prose(textOf({ file })).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]*))?\)/g)).filter(
    ([, path = '', anchor]) => {
      const target = path ? join(dirname(file), path) : file
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(target).includes(anchor)
    },
  )
  expect(dead.map(([link]) => link)).toEqual([])
})

test.each(guidePages())('$name is rendered: title, links within the site, nothing left of the markdown', (page) => {
  const html = renderPage(page, '<title><!-- title --></title><main><!-- page --></main><nav><!-- guide --></nav>')
  expect(html).toContain('<h1 id=')
  expect(html).toContain('aria-current="page"')
  expect(html).not.toMatch(/\.md["#]/)
  expect(html).not.toContain('<!--')
  expect(html.replaceAll(/<pre.*?<\/pre>/gs, '')).not.toContain('```')
})

test('a page can bring no HTML of its own into a code block', () => {
  const html = renderPage(
    guidePages().find(({ name }) => name === 'security')!,
    '<!-- page -->',
  )
  expect(html).not.toContain('<script')
})

describe('what a page lists is all there is', () => {
  test('errors, by code', () => {
    const source = textOf({ file: 'src/errors.ts' })
    const codes = Array.from(source.matchAll(/'(ERR_\w+)'/g), ([, code]) => code)
    const listed = Array.from(textOfPage('errors').matchAll(/^## (ERR_\w+)$/gm), ([, code]) => code)
    expect(codes.length).toBeGreaterThan(9)
    expect(listed.toSorted()).toEqual([...new Set(codes)].toSorted())
  })

  test('options', () => {
    const listed = Array.from(textOfPage('options').matchAll(/^\| `(\w+)` \|/gm), ([, name = '']) => name)
    const isKnown = (name: string): boolean => {
      try {
        createSession({
          [name]: Symbol('no such value'),
          backend: { name: 'x', attach() {}, refresh: async () => null },
        })
        return true
      } catch (error) {
        return !(error instanceof InvalidOptionError && error.message.includes('is no option'))
      }
    }
    const options = listed.filter((name) => !['getToken', 'refresh', 'reload', 'signOut'].includes(name))
    expect(options.length).toBeGreaterThan(12)
    expect(options.filter((name) => !isKnown(name))).toEqual([])
  })
})
