// Builds what a framework runs, for the page and for the server: resesh from its source, the framework from the packages beside.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transformAsync } from '@babel/core'
import typescript from '@babel/preset-typescript'
import solid from 'babel-preset-solid'
import { build, type Plugin } from 'esbuild'
import { compile as compileSvelte } from 'svelte/compiler'
import { compileScript, parse as parseVue } from 'vue/compiler-sfc'
import { aliases } from '../../setup/aliases.mjs'

export const folder = join(import.meta.dirname, '..')

export interface BundleOptions {
  /** Which React; both are installed. @default 19 */
  react?: 18 | 19
  /** To render on a server, as a module of CommonJS. */
  server?: boolean
}

const resesh: Plugin = {
  name: 'resesh',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^resesh(\/|$)/ }, ({ path }) => ({
      path: aliases('src').find(({ find }) => find.test(path))!.replacement,
    })),
}

const svelte = (server: boolean): Plugin => ({
  name: 'svelte',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8')
      const { js } = compileSvelte(source, { filename: path, generate: server ? 'server' : 'client', dev: true })
      return { contents: js.code }
    }),
})

const vue = (server: boolean): Plugin => ({
  name: 'vue',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.vue$/ }, async ({ path }) => {
      const { descriptor } = parseVue(await readFile(path, 'utf8'), { filename: path })
      const { content } = compileScript(descriptor, {
        id: 'app',
        inlineTemplate: true,
        templateOptions: { ssr: server, ssrCssVars: [] },
      })
      return { contents: content, loader: 'ts' }
    }),
})

const solidJsx = (server: boolean): Plugin => ({
  name: 'solid',
  setup: ({ onLoad }) =>
    onLoad({ filter: /solid[^/]*(\/[^/]+)?\.tsx$/ }, async ({ path }) => {
      const presets = [[solid, { generate: server ? 'ssr' : 'dom', hydratable: true }], typescript]
      const code = await transformAsync(await readFile(path, 'utf8'), { filename: path, presets, configFile: false })
      return { contents: code!.code! }
    }),
})

/**
 * @param code A module, as if it lay in this folder. Angular compiles its templates in the page, since its own tools do not build
 *   it here.
 */
export async function bundle(code: string, { react = 19, server = false }: BundleOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: code.includes('angular') ? `import '@angular/compiler'\n${code}` : code,
      resolveDir: folder,
      loader: 'ts',
    },
    absWorkingDir: folder,
    // What the sources import lies here, too.
    nodePaths: [join(folder, 'node_modules')],
    ...(react === 18 && { alias: { react: 'react-18', 'react-dom': 'react-dom-18' } }),
    plugins: [resesh, svelte(server), vue(server), solidJsx(server)],
    bundle: true,
    write: false,
    format: server ? 'cjs' : 'iife',
    platform: server ? 'node' : 'browser',
    target: 'es2022',
    jsx: 'automatic',
    // As while developing: there the frameworks say what is wrong.
    conditions: ['development'],
    define: {
      'process.env.NODE_ENV': '"development"',
      __VUE_OPTIONS_API__: 'true',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true',
    },
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } },
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}
