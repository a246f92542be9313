import { restore } from '@hotspan/collector'
import { shownPath } from '../process/shown-path.ts'
import { type StoreFlags, storePlace } from '../process/store-options.ts'
import { renderJson } from '../render/json.ts'

export interface RestoreFlags extends StoreFlags {
  readonly format: 'text' | 'json'
}

export const runRestore = async (from: string, flags: RestoreFlags): Promise<void> => {
  const place = await storePlace(flags)
  const report = await restore({ from, dataDir: place.dataDir })
  if (flags.format === 'json') {
    process.stdout.write(renderJson({ schemaVersion: 1, dataDir: place.dataDir, ...report }))
    return
  }
  const projects = report.databases.map((name) => name.replace(/^hotspan_/, '')).join(', ')
  process.stdout.write(
    `restored into ${shownPath(place.dataDir)}\n${report.spans.toLocaleString('en')} spans of ${projects}, ${(report.tookMs / 1000).toFixed(1)} s\n`,
  )
  if (report.movedTo !== null)
    process.stdout.write(
      `what was there is kept in ${shownPath(report.movedTo)}: remove it when you do not need it\n`,
    )
}
