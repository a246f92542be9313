import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import type { EncodedSourceMap } from '@jridgewell/trace-mapping'
import type { Plugin, ResolvedConfig, Rollup } from 'vite'
import { buildIdOf, type ResolvableFile, resolvable, sourcePath } from './built-file.ts'
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

const textOf = ({ source }: Rollup.OutputAsset): string =>
  typeof source === 'string' ? source : Buffer.from(source).toString('utf8')

/** One line more at the top. */
const shifted = (map: EncodedSourceMap): EncodedSourceMap => ({ ...map, mappings: `;${map.mappings}` })

/**
 * Vite: gives the build its id and moves its source maps out of what is served, into `mapsDir`, for `hotspan sourcemaps
 * upload`. The id of an entry depends on everything that it loads and on nothing else, so that a file with an unchanged hash in
 * its name has unchanged content. Builds for the browser only; nothing in development.
 */
export const hotspan = (options: HotspanBuildOptions = {}): Plugin => {
  let config: ResolvedConfig
  // Of all outputs of one build: old browsers may get a second one.
  let files: ResolvableFile[] = []
  let allIds = new Set<string>()
  return {
    name: 'hotspan',
    apply: (_config, { command, isSsrBuild }) => command === 'build' && !isSsrBuild,
    enforce: 'post',
    applyToEnvironment: (environment) => environment.config.consumer === 'client',
    // Maps are made, and no comment names them.
    config: () => ({ build: { sourcemap: 'hidden' } }),
    configResolved(resolved) {
      config = resolved
    },
    buildStart() {
      files = []
      allIds = new Set()
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
        const keep = (file: string, code: string, map: EncodedSourceMap): void => {
          const folder = dirname(join(outDir, file))
          files.push(resolvable({ file, code, map }, (source) => sourcePath(source, folder, root)))
        }
        for (const chunk of chunks) {
          const id = ids.get(chunk)
          const map = chunk.map as EncodedSourceMap | null
          if (id !== undefined) chunk.code = withPrelude(chunk.code, id)
          delete bundle[`${chunk.fileName}.map`]
          if (chunk.sourcemapFileName) delete bundle[chunk.sourcemapFileName]
          if (map !== null) keep(chunk.fileName, chunk.code, id === undefined ? map : shifted(map))
        }
        // Workers are bundles of their own and arrive as assets, with their maps.
        for (const [name, asset] of Object.entries(bundle)) {
          const script = bundle[name.replace(/\.map$/, '')]
          if (!/\.[cm]?js\.map$/.test(name) || asset.type !== 'asset' || script?.type !== 'asset') continue
          delete bundle[name]
          keep(script.fileName, textOf(script), JSON.parse(textOf(asset)))
        }
        for (const id of ids.values()) allIds.add(id)
        writeMaps(mapsDir, [...allIds], files)
      },
    },
  }
}
