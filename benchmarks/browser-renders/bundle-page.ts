import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformAsync } from '@babel/core'
import compiler from 'babel-plugin-react-compiler'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const react18 = fileURLToPath(new URL('../node_modules/', import.meta.url))
const react19 = fileURLToPath(new URL('../../node_modules/', import.meta.url))

export interface Variant {
  readonly react: 18 | 19
  readonly build: 'production' | 'development'
  readonly strict: boolean
}

/** The labelled page with what is marked for the React Compiler compiled. */
export async function bundlePage(variant: Variant, receiver: string): Promise<string> {
  const { react, strict } = variant
  const modules = react === 18 ? react18 : react19
  const compiled = await transformAsync(readFileSync(`${here}page.tsx`, 'utf8'), {
    filename: 'page.tsx',
    babelrc: false,
    configFile: false,
    parserOpts: { plugins: ['jsx', 'typescript'] },
    plugins: [[compiler, { target: `${react}`, compilationMode: 'annotation' }]],
  })
  const production = variant.build === 'production'
  const { outputFiles } = await build({
    stdin: { contents: compiled!.code!, resolveDir: here, loader: 'tsx' },
    bundle: true,
    minify: production,
    // The names are the labels.
    keepNames: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    alias: { react: `${modules}react`, 'react-dom': `${modules}react-dom` },
    define: {
      'process.env.NODE_ENV': JSON.stringify(variant.build),
      RECEIVER: JSON.stringify(receiver),
      STRICT: `${strict}`,
    },
    logLevel: 'error',
  })
  return outputFiles[0]!.text
}
