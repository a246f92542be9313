import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CollectorError } from '../errors.ts'
import { writeFileDurably } from './durable-file.ts'

/** Version of the directory's own layout: folders, journal frames. Tables have numbered migrations of their own. */
export const directoryVersion = 1

interface Marker {
  readonly directoryVersion: number
  readonly engineVersion: string
}

/**
 * Version found in the directory; 0 when it has no readable marker (new, or written before there was one). Throws
 * `HS_STORE_NEWER` when a later Hotspan wrote it: its data is left untouched.
 */
export function checkVersionMarker(dataDir: string): number {
  const path = join(dataDir, 'version.json')
  let version = 0
  if (existsSync(path)) {
    try {
      const marker = JSON.parse(readFileSync(path, 'utf8')) as Partial<Marker> | null
      if (typeof marker?.directoryVersion === 'number') version = marker.directoryVersion
    } catch {
      // An unreadable marker says nothing about the data beside it: open it, and write the marker anew.
    }
  }
  if (version > directoryVersion) {
    throw new CollectorError(
      'HS_STORE_NEWER',
      `${dataDir} was written by a newer Hotspan (directory version ${version}, this one reads up to ${directoryVersion}). Update Hotspan, or choose another directory (--data-dir, HOTSPAN_DATA_DIR).`,
    )
  }
  return version
}

export function writeVersionMarker(dataDir: string, engineVersion: string): void {
  const marker: Marker = { directoryVersion, engineVersion }
  writeFileDurably(join(dataDir, 'version.json'), `${JSON.stringify(marker)}\n`)
}
