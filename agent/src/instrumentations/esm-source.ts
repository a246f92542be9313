/** Where a module that we have added a line to hands its exports over. */
export const LOADED = Symbol.for('hotspan.module-loaded')

/** `[package name, source of a regular expression over the file's URL behind the package's folder]`. */
export type EsmPattern = readonly [name: string, files: string]

export interface EsmMatcher {
  /** Name of the package whose file this is, or undefined. */
  match(url: string): string | undefined
}

export function esmMatcher(patterns: readonly EsmPattern[]): EsmMatcher {
  const compiled = patterns.map(
    ([name, files]) => [`/node_modules/${name}/`, new RegExp(`^(?:${files})$`)] as const,
  )
  return {
    match(url) {
      if (!url.startsWith('file:')) return undefined
      const from = url.lastIndexOf('/node_modules/')
      if (from < 0) return undefined
      for (let i = 0; i < compiled.length; i++) {
        const [folder, files] = compiled[i]!
        if (url.startsWith(folder, from) && files.test(url.slice(from + folder.length)))
          return patterns[i]![0]
      }
      return undefined
    },
  }
}

/**
 * The module with a last line that imports itself and hands its namespace over: whatever its exports are called inside, and
 * no line moves. The namespace cannot be changed, but the classes in it can.
 */
export const withHandOver = (source: string, name: string, url: string): string =>
  `${source}\n;import * as $hotspan from ${JSON.stringify(url)};` +
  `globalThis[Symbol.for('hotspan.module-loaded')]?.(${JSON.stringify(name)}, $hotspan)\n`
