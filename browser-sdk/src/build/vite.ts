import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import type { EncodedSourceMap } from '@jridgewell/trace-mapping'
import type { Plugin, ResolvedConfig, Rollup } from 'vite'
import { buildIdOf, resolvable, sourcePath } from './built-file.ts'
import { DEFAULT_MAPS_DIR, type HotspanBuildOptions } from './options.ts'
import { withPrelude } from './prelude.ts'
import { writeMaps } from './write-maps.ts'

export type { HotspanBuildOptions } from './options.ts'

/** The chunk and all that it imports, at once or later. */
const closureOf = (entry: Rollup.OutputChunk, bundle: Rollup.OutputBundle): Rollup.OutputChunk[] => {
  const seen = new Set<Rollup.OutputChunk>()
  const pending = [entry]
  for (let chunk = pending.pop(); chunk; chunk = pending.pop()) {
    if (seen.has(chunk)) continue
    seen.add(chunk)
    for (const name of [...chunk.imports, ...chunk.dynamicImports]) {
      const imported = bundle[name]
      if (imported?.type === 'chunk') pending.push(imported)
    }
  }
  return [...seen]
}

/** One line more at the top. */
const shifted = (map: EncodedSourceMap): EncodedSourceMap => ({ ...map, mappings: `;${map.mappings}` })

/**
 * Vite: gives the build its id and moves its source maps out of what is served, into `mapsDir`, for `hotspan sourcemaps
 * upload`. The id of an entry depends on everything that it loads and on nothing else, so that a file with an unchanged hash in
 * its name has unchanged content. Builds for the browser only; nothing in development.
 */
export const hotspan = (options: HotspanBuildOptions = {}): Plugin => {
  let config: ResolvedConfig
  return {
    name: 'hotspan',
    apply: (_config, { command, isSsrBuild }) => command === 'build' && !isSsrBuild,
    enforce: 'post',
    // Maps are made, and no comment names them.
    config: () => ({ build: { sourcemap: 'hidden' } }),
    configResolved(resolved) {
      config = resolved
    },
    generateBundle: {
      order: 'post',
      handler(output, bundle) {
        const { root } = config
        const outDir = output.dir ?? resolve(root, config.build.outDir)
        const mapsDir = resolve(root, options.mapsDir ?? DEFAULT_MAPS_DIR)
        const below = relative(outDir, mapsDir)
        if (!below.startsWith('..') && !isAbsolute(below))
          this.error(
            `hotspan: mapsDir ${mapsDir} lies in ${outDir}, which is served; name a folder outside of it`,
          )
        const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
        const codeOf = (of: readonly Rollup.OutputChunk[]) =>
          of.map(({ fileName, code }) => [fileName, code] as const)
        // All ids before the first prelude: they are of the content without it.
        const ids = new Map(
          chunks
            .filter(({ isEntry }) => isEntry)
            .map((entry) => [entry, buildIdOf(codeOf(closureOf(entry, bundle)))]),
        )
        const files = []
        for (const chunk of chunks) {
          const id = ids.get(chunk)
          const map = chunk.map as EncodedSourceMap | null
          if (id !== undefined) chunk.code = withPrelude(chunk.code, id)
          delete bundle[`${chunk.fileName}.map`]
          if (chunk.sourcemapFileName) delete bundle[chunk.sourcemapFileName]
          if (map === null) continue
          const folder = dirname(join(outDir, chunk.fileName))
          const built = { file: chunk.fileName, code: chunk.code, map: id === undefined ? map : shifted(map) }
          files.push(resolvable(built, (source) => sourcePath(source, folder, root)))
        }
        writeMaps(mapsDir, [...new Set(ids.values())], files)
      },
    },
  }
}
