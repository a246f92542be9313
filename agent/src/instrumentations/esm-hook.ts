import Module, { register } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { fs } from '../node-modules.ts'
import { ownFolder } from '../own-folder.ts'
import { type EsmPattern, esmMatcher, LOADED, withHandOver } from './esm-source.ts'
import { installedPackages, workingFolder } from './installed.ts'
import type { PackageTarget } from './module-hook.ts'

interface SyncHooks {
  registerHooks?: (hooks: { load: SyncLoad }) => { deregister(): void }
}

type Loaded = { format?: string; source?: string | ArrayBuffer | NodeJS.TypedArray | null }
type SyncLoad = (url: string, context: unknown, nextLoad: (url: string, context: unknown) => Loaded) => Loaded

/**
 * ESM builds do not pass `Module._load`. Their entries get a last line that hands their exports over; nothing else of the app
 * is touched, and nothing is installed when none of the packages is. Returns a function that stops it.
 */
export function watchEsmPackages(
  targets: readonly PackageTarget[],
  offer: (target: PackageTarget, exports: unknown) => void,
): () => void {
  const isInstalled = installedPackages(process.argv[1], workingFolder())
  const found = targets.filter(({ name, esm }) => esm !== undefined && isInstalled(name))
  if (found.length === 0) return () => {}
  const byName = new Map(found.map((target) => [target.name, target]))
  const patterns = found.map(({ name, esm }): EsmPattern => [name, esm!])
  const doors = globalThis as { [LOADED]?: (name: string, exports: unknown) => void }
  doors[LOADED] = (name, exports) => {
    const target = byName.get(name)
    if (target !== undefined) offer(target, exports)
  }
  const { registerHooks } = Module as SyncHooks
  if (registerHooks === undefined || !syncHooksWork()) {
    // Inside a bundle there is no such file, and a loader that is missing ends the process.
    const loader = join(ownFolder ?? '', 'esm-loader.js')
    if (fs.existsSync(loader)) register(pathToFileURL(loader), { data: patterns })
    return () => delete doors[LOADED]
  }
  const matcher = esmMatcher(patterns)
  const hooks = registerHooks({
    load(url, context, nextLoad) {
      const result = nextLoad(url, context)
      const name = result.format === 'module' ? matcher.match(url) : undefined
      if (name === undefined || result.source === null || result.source === undefined) return result
      const source =
        typeof result.source === 'string' ? result.source : new TextDecoder().decode(result.source)
      return { ...result, source: withHandOver(source, name, url) }
    },
  })
  return () => {
    hooks.deregister()
    delete doors[LOADED]
  }
}

/** Before these, hooks in the thread break imports of CommonJS packages. */
function syncHooksWork(): boolean {
  const [major, minor, patch] = process.versions.node.split('.').map(Number) as [number, number, number]
  if (major === 22) return minor > 22 || (minor === 22 && patch >= 3)
  if (major === 24) return minor > 11 || (minor === 11 && patch >= 1)
  return major > 25 || (major === 25 && minor >= 1)
}
