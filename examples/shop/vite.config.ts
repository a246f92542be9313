import { fileURLToPath } from 'node:url'
import { hotspan } from '@hotspan/browser/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { placeNamesPlugin } from './web/build/place-names.ts'
import { precompressPlugin } from './web/build/precompress.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/**
 * Two builds of one storefront: `--mode split` loads pages and place names when they are needed; `--mode unsplit` is the fault
 * `oversized-bundle`, everything in one file.
 */
export default defineConfig(({ mode }) => {
  const variant = mode === 'unsplit' ? 'unsplit' : 'split'
  return {
    root: here('web'),
    plugins: [
      react(),
      placeNamesPlugin(),
      // Names and source maps stay here; `hotspan sourcemaps upload` takes them to the store.
      hotspan({ mapsDir: here(`dist/source-maps/${variant}`) }),
      precompressPlugin(),
    ],
    resolve: {
      alias: [
        { find: '#pages', replacement: here(`web/src/pages/${variant}-pages.tsx`) },
        { find: '#places', replacement: here(`web/src/state/${variant}-places.ts`) },
        // The production build of react-dom measures no render; this one does, for 6 kB more.
        { find: /^react-dom\/client$/, replacement: 'react-dom/profiling' },
      ],
    },
    build: {
      outDir: here(`dist/web/${variant}`),
      emptyOutDir: true,
      // The unsplit build is meant to be too large.
      chunkSizeWarningLimit: 10_000,
    },
  }
})
