import { backup } from '@hotspan/collector'
import { shownPath } from '../process/shown-path.ts'
import { requireStore, type StoreFlags, storePlace } from '../process/store-options.ts'
import { renderJson } from '../render/json.ts'

export interface BackupFlags extends StoreFlags {
  readonly format: 'text' | 'json'
}

export const runBackup = async (target: string, flags: BackupFlags): Promise<void> => {
  const place = await storePlace(flags)
  requireStore(place)
  const report = await backup({ dataDir: place.dataDir, to: target })
  if (flags.format === 'json') {
    process.stdout.write(renderJson({ schemaVersion: 1, ...report }))
    return
  }
  const projects = report.databases.map((name) => name.replace(/^hotspan_/, '')).join(', ')
  process.stdout.write(
    `wrote ${shownPath(report.path)}\n${report.spans.toLocaleString('en')} spans of ${projects}, ${(report.tookMs / 1000).toFixed(1)} s\n`,
  )
}
