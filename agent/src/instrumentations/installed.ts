import { dirname, join } from 'node:path'
import { fs } from '../node-modules.ts'

/**
 * Whether the app can have a package: it lies in a `node_modules` above the main file or the working directory, or where pnpm
 * keeps what packages themselves depend on. Without any such folder (Plug'n'Play, a bundle) everything may be there.
 */
export function installedPackages(
  mainFile: string | undefined,
  workingDirectory: string,
): (name: string) => boolean {
  const folders = new Set<string>()
  for (let folder of [workingDirectory, dirname(mainFile ?? join(workingDirectory, 'x'))]) {
    for (;;) {
      for (const packages of [join(folder, 'node_modules'), join(folder, 'node_modules/.pnpm/node_modules')])
        if (fs.existsSync(packages)) folders.add(packages)
      const above = dirname(folder)
      if (above === folder) break
      folder = above
    }
  }
  return (name) => folders.size === 0 || [...folders].some((folder) => fs.existsSync(join(folder, name)))
}

/** The working directory may have been removed. */
export function workingFolder(): string {
  try {
    return process.cwd()
  } catch {
    return '/'
  }
}
