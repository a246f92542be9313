import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sourceMapFolders } from '../source-map-folders.ts'

interface Functions {
  readonly names: readonly string[]
  readonly functions: readonly (readonly [
    key: string,
    built: string,
    start: number,
    end: number,
    name: number,
  ])[]
}

const nameByKey = new Map<string, string>()

const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T

/** What a component that the page sent as `t~1xk3f9a` is called in its source; the store does the same when it is read. */
export function sourceName(sent: unknown): string {
  if (nameByKey.size === 0)
    for (const folder of sourceMapFolders) {
      const manifest = readJson<{ files: { functions: string }[] }>(join(folder, 'hotspan-build.json'))
      for (const file of manifest.files) {
        const { names, functions } = readJson<Functions>(join(folder, file.functions))
        for (const [key, , , , name] of functions) nameByKey.set(key, names[name] ?? '')
      }
    }
  return nameByKey.get(String(sent).split('~')[1] ?? '') ?? String(sent)
}
