import { defineConfig } from 'tsup'
import manifest from './package.json' with { type: 'json' }

// package.json is the one list of entries: `dist/x.js` in its exports is built from `src/x.ts`.
export const entry: Record<string, string> = Object.fromEntries(
  Object.values(manifest.exports)
    .filter((target) => typeof target === 'object')
    .map((target) => target.default.replace(/^\.\/dist\/(.+)\.js$/, '$1'))
    .map((name) => [name, `src/${name}.ts`]),
)

const shared = { target: 'es2022', platform: 'browser', sourcemap: true } as const

export default defineConfig([
  {
    ...shared,
    entry,
    // The two builds run at once: neither may remove what the other just wrote.
    clean: ['!*.global.js*'],
    format: ['esm'],
    splitting: true,
    // tsup sets `baseUrl`, which TypeScript 6 refuses unless told otherwise.
    dts: {
      banner: '/// <reference lib="esnext.disposable" />',
      compilerOptions: { ignoreDeprecations: '6.0', stripInternal: true },
    },
  },
  {
    ...shared,
    entry: { resesh: 'src/global.ts' },
    format: ['iife'],
    globalName: 'Resesh',
    minify: true,
    noExternal: [/.*/],
    outExtension: () => ({ js: '.global.js' }),
  },
])
