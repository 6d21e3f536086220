// The guide's page on pages that a server renders shows files of real apps: each block is the file that it names, word for word.
// `npm run ssr` compiles, builds and runs these files.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import ssr from '../ssr/next/package.json' with { type: 'json' }
import nuxt from '../ssr/nuxt/package.json' with { type: 'json' }
import sveltekit from '../ssr/sveltekit/package.json' with { type: 'json' }

const root = join(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'demo/guide/server-rendering.md'), 'utf8')
const apps = { 'Next.js': 'next', Nuxt: 'nuxt', SvelteKit: 'sveltekit' }

const sectionOf = (title: string): string => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''

describe.each(Object.entries(apps))('%s', (title, folder) => {
  const section = sectionOf(title)
  const blocks = Array.from(section.matchAll(/^`([^`\n]+)`:\n\n```\w+\n(.*?)^```$/gms), ([, file = '', code]) => ({
    file,
    code,
  }))

  test('every block is a file', () => {
    expect(blocks).toHaveLength(section.match(/^```\w+$/gm)?.length ?? 0)
  })

  test.each(blocks)('$file', ({ file, code }) => {
    const path = join(root, 'test/ssr', folder, file)
    expect(existsSync(path), file).toBe(true)
    expect(code).toBe(readFileSync(path, 'utf8'))
  })
})

test('Next.js: it names the version that the tests run, and shows the files that matter', () => {
  const section = sectionOf('Next.js')
  expect(section).toContain(`Next.js ${ssr.dependencies.next}`)
  expect(section.match(/^`.+providers\.tsx`:$/gm)).toHaveLength(3)
})

test('Nuxt and SvelteKit: it names the versions that the tests run, and shows the files that matter', () => {
  expect(sectionOf('Nuxt')).toContain(`Nuxt ${nuxt.dependencies.nuxt}`)
  expect(sectionOf('Nuxt').match(/^`app\/plugins\/.+`:$/gm)).toHaveLength(3)
  const { '@sveltejs/kit': kit, svelte } = sveltekit.devDependencies
  expect(sectionOf('SvelteKit')).toContain(`SvelteKit ${kit}, Svelte ${svelte}`)
  expect(sectionOf('SvelteKit').match(/^`.+\+layout\.svelte`:$/gm)).toHaveLength(3)
})
