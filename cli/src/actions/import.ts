import { existsSync } from 'node:fs'
import { type ImportFormat, type ImportReport, importFile, openStore } from '@hotspan/collector'
import { missingSetUp } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { note } from '../process/output.ts'
import { type StoreFlags, storePlace } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'
import { count } from '../render/numbers.ts'

export interface ImportFlags extends StoreFlags {
  readonly format?: ImportFormat
}

export const runImport = async (
  files: readonly string[],
  flags: ImportFlags,
  setExit: SetExit,
): Promise<void> => {
  const place = await storePlace(flags)
  // Looked at first: a slip in a name must not make an empty store.
  for (const file of files) {
    if (!existsSync(file))
      throw missingSetUp(`${file} cannot be read: there is no such file`, 'Name files that exist')
  }
  const store = await openStore({ dataDir: place.dataDir, project: place.project })
  try {
    for (const file of files) {
      const report = await importFile(store, file, flags.format === undefined ? {} : { format: flags.format })
      process.stdout.write(`${file}  ${report.format}  ${contentOf(report)}${spanOfTime(report)}\n`)
      if (report.spansPastRetention > 0) {
        note(
          `${file}: ${count(report.spansPastRetention, 'span')} older than the retention of ${report.retentionDays} days: a collector drops them when it cleans up; HOTSPAN_RETENTION_DAYS=0 keeps all`,
        )
      }
      if (report.skipped > 0) {
        note(`${file}: ${count(report.skipped, 'part')} not imported; ${report.firstSkipped}`)
        setExit(exitCode.partial)
      }
    }
  } finally {
    await store.close()
  }
}

const contentOf = ({ spans, newSpans, logs, metricPoints, profiles }: ImportReport): string => {
  const known = newSpans === spans ? '' : ` (${newSpans === 0 ? 'none' : newSpans} of them new)`
  const parts = [
    spans > 0 ? count(spans, 'span') + known : '',
    logs > 0 ? count(logs, 'log record') : '',
    metricPoints > 0 ? count(metricPoints, 'data point') : '',
    profiles > 0 ? count(profiles, 'profile') : '',
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'nothing in it' : parts.join(', ')
}

/** The times to ask `analyze` for. */
const spanOfTime = ({ fromMs, toMs }: ImportReport): string =>
  fromMs === null || toMs === null ? '' : `  ${iso(fromMs)} to ${iso(toMs)}`

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
