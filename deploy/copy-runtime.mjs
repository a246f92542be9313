// node deploy/copy-runtime.mjs OUT | --list: the built command and what it imports, at the places where it is found; nothing that only building,
// testing or the embedded engine needs. npm's own --omit=dev keeps what any other workspace of the house needs.
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = realpathSync(fileURLToPath(new URL('..', import.meta.url)))
const [out] = process.argv.slice(2)
const listOnly = out === '--list'
if (out === undefined) {
  console.error('copy-runtime: expected the folder to write to, or --list')
  process.exit(2)
}

/** Where `require` finds a package from a folder of the checkout; null when it is not installed. */
function installed(name, from) {
  for (let at = from; at.startsWith(root); at = dirname(at)) {
    const path = join(at, 'node_modules', name)
    if (existsSync(path)) return path
  }
  return null
}

const copied = new Set()

function copy(folder) {
  if (copied.has(folder)) return
  copied.add(folder)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const target = join(out, relative(root, folder))
  const ours = !folder.includes(`${sep}node_modules${sep}`)
  const parts = ours ? ['package.json', ...manifest.files] : ['.']
  if (listOnly) console.log(relative(root, folder))
  for (const part of listOnly ? [] : parts) {
    cpSync(join(folder, part), join(target, part), {
      recursive: true,
      filter: (path) => basename(path) !== 'node_modules' || path === folder,
    })
  }
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter(
    (name) => manifest.peerDependenciesMeta?.[name]?.optional !== true,
  )
  for (const name of [...Object.keys(manifest.dependencies ?? {}), ...peers]) {
    const path = installed(name, folder)
    // Optional ones of a package stand in both lists.
    if (path === null && manifest.optionalDependencies?.[name] !== undefined) continue
    if (path === null) throw new Error(`${name} of ${manifest.name} is not installed`)
    const real = realpathSync(path)
    copy(real)
    if (real === path || listOnly) continue
    const link = join(out, relative(root, path))
    mkdirSync(dirname(link), { recursive: true })
    if (!existsSync(link)) symlinkSync(relative(dirname(path), real), link)
  }
}

copy(join(root, 'cli'))
