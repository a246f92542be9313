import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** `dist/hotspan.iife.js`, the SDK for script tags, with its map. */
await build({
  entryPoints: [here('src/script-tag.ts')],
  outfile: here('dist/hotspan.iife.js'),
  bundle: true,
  minify: true,
  format: 'iife',
  globalName: 'hotspan',
  target: 'es2022',
  sourcemap: true,
  sourcesContent: true,
  legalComments: 'none',
})
