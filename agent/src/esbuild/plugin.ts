import { readFile } from 'node:fs/promises'
import { databasePackages } from '../instrumentations/database-packages.ts'
import { frameworkPackages } from '../instrumentations/framework-packages.ts'

/** esbuild's kinds of imports. */
type ImportKind =
  | 'entry-point'
  | 'import-statement'
  | 'require-call'
  | 'dynamic-import'
  | 'require-resolve'
  | 'import-rule'
  | 'composes-from'
  | 'url-token'

/** What of esbuild's plugin interface is used; spelled out, so that esbuild is no dependency. */
interface PluginBuild {
  readonly initialOptions: { readonly platform?: string }
  onResolve(
    options: { filter: RegExp },
    callback: (args: {
      path: string
      kind: ImportKind
      importer: string
      resolveDir: string
      pluginData?: unknown
    }) => Promise<{ path: string; pluginData?: unknown } | undefined>,
  ): void
  onLoad(
    options: { filter: RegExp },
    callback: (args: {
      path: string
      pluginData?: unknown
    }) => Promise<{ contents: string; loader: 'js'; resolveDir?: string } | undefined>,
  ): void
  resolve(
    path: string,
    options: { kind: ImportKind; importer: string; resolveDir: string; pluginData: unknown },
  ): Promise<{ path: string; errors: readonly unknown[]; external: boolean }>
}

interface Plugin {
  readonly name: string
  setup(build: PluginBuild): void
}

/** Under this global symbol a running agent takes packages that a bundle hands over. */
const HAND_OVER = 'hotspan.instrument'

const RESOLVING = Symbol('hotspan.resolving')

/** Known packages whose file is the one that is loaded by their name. */
const names = (): string[] => [
  ...new Set([...databasePackages(), ...frameworkPackages].map(({ name }) => name).concat('pino', 'winston')),
]

/**
 * esbuild plugin: in a bundle no package is loaded by its name, so each known one hands itself over to the agent when it is
 * evaluated. Without an agent the bundle does what it did.
 */
export function hotspanEsbuild(): Plugin {
  return {
    name: 'hotspan',
    setup(build) {
      const literal = names().map((name) => name.replaceAll(/[^a-z0-9-]/gi, '\\$&'))
      build.onResolve({ filter: new RegExp(`^(?:${literal.join('|')})$`) }, async (args) => {
        if (args.pluginData === RESOLVING) return undefined
        const { path: name, kind, importer, resolveDir } = args
        const found = await build.resolve(name, { kind, importer, resolveDir, pluginData: RESOLVING })
        if (found.errors.length > 0 || found.external) return undefined
        return { path: found.path, pluginData: { name } }
      })
      build.onLoad({ filter: /\.[cm]?js$/ }, async ({ path, pluginData }) => {
        const name = (pluginData as { name?: unknown } | undefined)?.name
        if (typeof name !== 'string') return undefined
        const source = await readFile(path, 'utf8')
        return { contents: `${source}\n${handOver(name, path, source)}`, loader: 'js' }
      })
    },
  }
}

function handOver(name: string, path: string, source: string): string {
  const call = (value: string): string =>
    `;globalThis[Symbol.for(${JSON.stringify(HAND_OVER)})]?.(${JSON.stringify(name)}, ${value});\n`
  const isModule =
    path.endsWith('.mjs') || (!path.endsWith('.cjs') && /^\s*(?:import|export)\b/m.test(source))
  if (!isModule) return call('module.exports')
  return `import * as __hotspan from ${JSON.stringify(path)}\n${call('__hotspan')}`
}
