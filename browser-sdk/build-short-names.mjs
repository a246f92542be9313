import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { minify } from 'terser'

/**
 * Makes `dist` shorter before anybody's bundler sees it: no bundler renames properties, and most inline less than Terser does. Local
 * names stay, so that the files can be read; 0.4 kB of the 13 are saved (`src/size.test.ts`).
 */
const dist = new URL('dist/', import.meta.url)

/**
 * Properties of objects that never leave the package's own modules: not of options, records, the page or React. Always the same short
 * name, for a build writes those files alone that have changed. Words that no browser has, or they would be renamed there as well.
 */
const INTERNAL =
  `startMs endMs reasons renders mounts wasted wastedMs selfMs components beforeEnd commitId commitRenders beginsCascade compared
  roots headersMs touched handlers fcpMs lcpMs firstByteMs worstShifts shifts longest baseMs pastInteractions largest bornMs tries
  tooLarge bodies forget packed longFrames how real sampled memo interaction ended route errors entry parent link span own root
  store tries bytes view failure leaves path`.split(/\s+/)

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$'
if (new Set(INTERNAL).size > LETTERS.length)
  throw new Error('build-short-names: more names than letters; take some away')
const INTERNAL_ONLY = new RegExp(`^(${INTERNAL.join('|')})$`)
// Terser puts a $ before the names that it remembers.
const cache = {
  props: { props: Object.fromEntries(INTERNAL.map((name, index) => [`$${name}`, LETTERS[index]])) },
}

for (const file of readdirSync(dist, { recursive: true })) {
  if (!file.endsWith('.js') || /^(build|routers)[/\\]|\.iife\.js$/.test(file)) continue
  const [codeFile, mapFile] = [new URL(file, dist), new URL(`${file}.map`, dist)]
  const { code, map } = await minify(
    { [file]: readFileSync(codeFile, 'utf8') },
    {
      module: true,
      ecma: 2020,
      compress: { passes: 3, pure_getters: true, unsafe: true, unsafe_arrows: true, inline: 1 },
      mangle: { keep_classnames: true, properties: { builtins: true, regex: INTERNAL_ONLY } },
      nameCache: structuredClone(cache),
      format: { beautify: true, comments: false, preserve_annotations: true },
      sourceMap: { content: readFileSync(mapFile, 'utf8'), url: `${file.split(/[/\\]/).at(-1)}.map` },
    },
  )
  writeFileSync(codeFile, code)
  writeFileSync(mapFile, map)
}
