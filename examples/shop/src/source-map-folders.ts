import { fileURLToPath } from 'node:url'

/** Source maps of the page's two builds, as `hotspan sourcemaps upload` takes them. */
export const sourceMapFolders: readonly string[] = ['split', 'unsplit'].map((build) =>
  fileURLToPath(new URL(`../dist/source-maps/${build}`, import.meta.url)),
)
