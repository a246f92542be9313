import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import type { EncodedSourceMap } from '@jridgewell/trace-mapping'
import type { Compilation, Compiler } from 'webpack'
import { buildIdOf, type ResolvableFile, resolvable, sourcePath } from './built-file.ts'
import { DEFAULT_MAPS_DIR, type HotspanBuildOptions } from './options.ts'
import { withPrelude } from './prelude.ts'
import { writeMaps } from './write-maps.ts'

export type { HotspanBuildOptions } from './options.ts'

const NAME = 'hotspan'
const SCRIPT = /\.[cm]?js$/

/** webpack 5, alone or in Next.js: as the plugin for Vite does. Builds for the browser only; nothing in development. */
export class HotspanPlugin {
  readonly #options: HotspanBuildOptions

  constructor(options: HotspanBuildOptions = {}) {
    this.#options = options
  }

  apply(compiler: Compiler): void {
    const { options } = compiler
    const targets = [options.target].flat()
    if (options.mode === 'development' || targets.some((one) => /node|edge|electron-main/.test(`${one}`)))
      return
    // Before webpack reads it: maps are made, and no comment names them.
    options.devtool = 'hidden-source-map'
    compiler.hooks.thisCompilation.tap(NAME, (compilation) => {
      const { Compilation } = compiler.webpack
      let buildId = ''
      compilation.hooks.processAssets.tap(
        // Minified, no map made, names not hashed for good: the prelude takes part in both.
        { name: NAME, stage: Compilation.PROCESS_ASSETS_STAGE_DEV_TOOLING - 1 },
        () => {
          buildId = this.#mark(compiler, compilation)
        },
      )
      compilation.hooks.processAssets.tap(
        // Final names and content, nothing compressed beside them yet.
        { name: NAME, stage: Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE_HASH + 1 },
        () => this.#takeMaps(compiler, compilation, buildId),
      )
    })
  }

  #mark(compiler: Compiler, compilation: Compilation): string {
    const scripts = compilation.getAssets().filter(({ name }) => SCRIPT.test(name))
    const id = buildIdOf(scripts.map(({ name, source }) => [name, source.source().toString()]))
    const { ConcatSource } = compiler.webpack.sources
    const marked = new Set<string>()
    for (const entry of compilation.entrypoints.values())
      for (const file of entry.getRuntimeChunk()?.files ?? [])
        if (SCRIPT.test(file) && !marked.has(file)) {
          marked.add(file)
          compilation.updateAsset(file, (source) => {
            const code = source.source().toString()
            return new ConcatSource(withPrelude(code, id).slice(0, -code.length), source)
          })
        }
    return id
  }

  #takeMaps(compiler: Compiler, compilation: Compilation, buildId: string): void {
    const project = compiler.context
    const outDir = compilation.outputOptions.path ?? join(project, 'dist')
    const mapsDir = resolve(project, this.#options.mapsDir ?? DEFAULT_MAPS_DIR)
    // Next.js serves a part of its output folder only.
    const below = relative(join(outDir, outDir.endsWith('.next') ? 'static' : ''), mapsDir)
    if (!below.startsWith('..') && !isAbsolute(below))
      throw new Error(
        `hotspan: mapsDir ${mapsDir} lies in ${outDir}, which is served; name a folder outside of it`,
      )
    const files: ResolvableFile[] = []
    for (const { name, source } of compilation.getAssets()) {
      if (!SCRIPT.test(name)) continue
      const mapAsset = compilation.getAsset(`${name}.map`)
      if (!mapAsset) continue
      const map = JSON.parse(mapAsset.source.source().toString()) as EncodedSourceMap
      compilation.deleteAsset(mapAsset.name)
      const folder = dirname(join(outDir, name))
      const built = { file: name, code: source.source().toString(), map }
      files.push(resolvable(built, (one) => sourcePath(one, folder, project)))
    }
    writeMaps(mapsDir, [buildId], files)
  }
}
