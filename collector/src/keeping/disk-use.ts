import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** What a data directory takes on its disk, bytes. */
export interface DiskUse {
  /** Files of the store as they are now, parts that await their removal included. */
  readonly storeBytes: number
  /** Acknowledged and not yet in the store, with the reserve for a full disk. */
  readonly journalBytes: number
  /** Stores and rows that were moved aside; they are never removed by Hotspan. */
  readonly quarantineBytes: number
  readonly freeBytes: number
}

/** Names in a data directory that hold what was moved aside. */
const movedAside = /^(?:store|journal)\.(?:quarantine|before-restore)-/

/** Adds up the files; a directory that is not there counts 0. Large stores have some ten thousand files: a second. */
export async function diskUse(dataDir: string): Promise<DiskUse> {
  const names = await readdir(dataDir).catch(() => [])
  let quarantineBytes = await bytesBelow(join(dataDir, 'journal', 'quarantine'))
  const quarantinedRows = quarantineBytes
  for (const name of names)
    if (movedAside.test(name)) quarantineBytes += await bytesBelow(join(dataDir, name))
  return {
    storeBytes: await bytesBelow(join(dataDir, 'store')),
    journalBytes: (await bytesBelow(join(dataDir, 'journal'))) - quarantinedRows,
    quarantineBytes,
    freeBytes: await freeBytesAt(dataDir),
  }
}

async function bytesBelow(path: string): Promise<number> {
  let bytes = 0
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    const inner = join(path, entry.name)
    if (entry.isDirectory()) bytes += await bytesBelow(inner)
    // Blocks of 512 bytes: what it takes, not how long it is. A file may go while we look.
    else bytes += ((await stat(inner).catch(() => null))?.blocks ?? 0) * 512
  }
  return bytes
}

/** Bytes that this user may still write on the disk of a path. */
export async function freeBytesAt(path: string): Promise<number> {
  const disk = await statfs(path)
  return disk.bavail * disk.bsize
}
