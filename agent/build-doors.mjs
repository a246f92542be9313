// What Node runs: each door and the few files that doors share, `@hotspan/otlp` and `@opentelemetry/api` in them. One file costs
// some 0.4 ms of an app's start, and there were 217. `tsc` makes the types only.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const dist = join(here, 'dist')
const doors = ['index', 'register', 'sdk-node', 'lambda', 'esbuild']

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: [
    ...doors.map((name) => ({ in: `src/${name}.ts`, out: name })),
    // A loader thread starts from a file of its own.
    { in: 'src/instrumentations/esm-loader.ts', out: 'esm-loader' },
  ],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.6',
  chunkNames: 'shared-[hash]',
  external: ['@datadog/pprof'],
  sourcemap: true,
  metafile: true,
})

/** Folder of the foreign package that a file of the build comes from. */
const foreignPackage = (input) =>
  /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(input)?.[1]

const folders = new Set(Object.keys(metafile.inputs).map(foreignPackage))
folders.delete(undefined)
const notices = [...folders]
  .map((folder) => join(here, folder))
  .filter((folder) => !readFileSync(join(folder, 'package.json'), 'utf8').includes('"name": "@hotspan/'))
  .map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return `${name} ${version}\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8')}`
  })
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), notices.join('\n\n'))

// Of an earlier build; last, because a running app may still load what it has begun to.
const made = new Set(Object.keys(metafile.outputs).map((path) => path.slice('dist/'.length)))
for (const path of readdirSync(dist, { recursive: true })) {
  if (/\.js(\.map)?$/.test(path) && !made.has(path)) rmSync(join(dist, path))
}
