import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { directoryVersion } from '../data-directory/version-marker.ts'
import { CollectorError } from '../errors.ts'

/** `manifest.json` of a backup. */
export interface BackupManifest {
  readonly schemaVersion: 1
  readonly createdAt: string
  /** Layout of the data directory it was made from. */
  readonly directoryVersion: number
  readonly engineVersion: string
  /** Databases, one per project. */
  readonly databases: readonly string[]
}

/** Filled by a materialised view: backed up after the tables that fill it, restored before them. */
export const lookupTable = 'otel_traces_trace_id_ts'

/** Folders of a backup: all tables but the lookup, the lookup, and what else the data directory held. */
export const backupFolders = { tables: 'tables', lookup: 'lookup', files: 'files' } as const

/** What of a data directory is not copied as files: the store and the journal, which are backed up as tables, and the state of a process. */
export const notCopied = /^(?:store|journal|owner|restore-)|^version\.json$|^\.gitignore$|\.tmp$/

/** Throws `HS_RESTORE` for a folder that is no backup, `HS_STORE_NEWER` for one of a later version. */
export function readManifest(folder: string): BackupManifest {
  const path = join(folder, 'manifest.json')
  if (!existsSync(path)) {
    throw new CollectorError(
      'HS_RESTORE',
      `${folder} is no backup of Hotspan: it has no manifest.json. Name what hotspan backup wrote.`,
    )
  }
  let manifest: Partial<BackupManifest> | null
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<BackupManifest> | null
  } catch (cause) {
    throw new CollectorError('HS_RESTORE', `${path} cannot be read: it is damaged`, { cause })
  }
  const { schemaVersion, directoryVersion: version, databases } = manifest ?? {}
  if (typeof schemaVersion === 'number' && typeof version === 'number') {
    if (schemaVersion > 1 || version > directoryVersion) {
      throw new CollectorError(
        'HS_STORE_NEWER',
        `${folder} was made by a newer Hotspan (directory version ${version}, this one reads up to ${directoryVersion}). Update Hotspan.`,
      )
    }
    const named =
      Array.isArray(databases) && databases.every((name) => /^hotspan_[a-z0-9_]{1,48}$/.test(name))
    if (named && databases.length > 0) return manifest as BackupManifest
  }
  throw new CollectorError('HS_RESTORE', `${path} is no manifest of a backup`)
}
