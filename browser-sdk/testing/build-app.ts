import { mkdtempSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { build } from 'vite'
import webpack from 'webpack'
import { hotspan } from '../src/build/vite.ts'
import { HotspanPlugin } from '../src/build/webpack.ts'

const require = createRequire(import.meta.url)
const app = fileURLToPath(new URL('shop-app', import.meta.url))
const published = (path: string): string => fileURLToPath(new URL(`../dist/${path}`, import.meta.url))

export type ReactVersion = 18 | 19

export interface BuiltApp {
  /** What a server serves. */
  readonly outDir: string
  readonly mapsDir: string
}

/** React 18 stands beside 19 under names of its own; its packages ask for each other by the usual ones. */
const reactAliases = (version: ReactVersion): Record<string, string> => {
  const [react, reactDom] =
    version === 19
      ? [require.resolve('react'), require.resolve('react-dom')]
      : [require.resolve('react-18'), require.resolve('react-dom-18')]
  return { react: dirname(react), 'react-dom': dirname(reactDom) }
}

const sdkAliases = {
  '@hotspan/browser/react': published('react/index.js'),
  '@hotspan/browser': published('index.js'),
}

const folders = (): BuiltApp => {
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-built-'))
  return { outDir: join(folder, 'served'), mapsDir: join(folder, 'maps') }
}

/** The application in `shop-app` as Vite ships it, with our plugin. */
export const buildWithVite = async (version: ReactVersion): Promise<BuiltApp> => {
  const { outDir, mapsDir } = folders()
  await build({
    root: app,
    configFile: false,
    logLevel: 'error',
    plugins: [react(), hotspan({ mapsDir })],
    resolve: { alias: { ...sdkAliases, ...reactAliases(version) } },
    build: { outDir, emptyOutDir: true },
  })
  return { outDir, mapsDir }
}

/** The same by webpack, whose loader for TypeScript and JSX is esbuild. */
export const buildWithWebpack = async (version: ReactVersion): Promise<BuiltApp> => {
  const { outDir, mapsDir } = folders()
  const compiler = webpack({
    mode: 'production',
    context: app,
    entry: './src/main.tsx',
    output: { path: outDir, filename: '[name].[contenthash].js', publicPath: '/', clean: true },
    resolve: { extensions: ['.tsx', '.ts', '.js'], alias: { ...sdkAliases, ...reactAliases(version) } },
    module: {
      rules: [{ test: /\.tsx?$/, loader: fileURLToPath(new URL('esbuild-loader.cjs', import.meta.url)) }],
    },
    plugins: [new HotspanPlugin({ mapsDir })],
  })!
  await new Promise<void>((done, fail) =>
    compiler.run((error, stats) => {
      const failure = error ?? (stats?.hasErrors() ? new Error(stats.toString('errors-only')) : null)
      compiler.close(() => (failure ? fail(failure) : done()))
    }),
  )
  return { outDir, mapsDir }
}
