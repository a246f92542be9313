import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

/** Writes a `.br` and a `.gz` beside every text file of the build, so that the server compresses nothing while it serves. */
export function precompressPlugin(): Plugin {
  let folder = ''
  return {
    name: 'shop-precompress',
    apply: 'build',
    configResolved: (config) => {
      folder = join(config.build.outDir, config.build.assetsDir)
    },
    closeBundle: () => {
      for (const name of readdirSync(folder).filter((file) => /\.(js|css|svg)$/.test(file))) {
        const content = readFileSync(join(folder, name))
        if (content.length < 1_024) continue
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content, quality))
        writeFileSync(join(folder, `${name}.gz`), gzipSync(content))
      }
    },
  }
}
