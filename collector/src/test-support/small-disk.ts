import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A file system of its own of so many MiB, gone when the test is; a text when this machine cannot have one. */
export function smallDisk(mebibytes: number): { readonly path: string } | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a small disk needs Linux and root'
  const path = mkdtempSync(join(tmpdir(), 'hotspan-disk-'))
  onTestFinished(() => {
    spawnSync('umount', ['-l', path])
    rmSync(path, { recursive: true, force: true })
  })
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'hotspan', path])
  return mounted.status === 0 ? { path } : `a small disk cannot be mounted: ${mounted.stderr}`
}
