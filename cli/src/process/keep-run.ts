import { openStore } from '@hotspan/collector'
import { importRun, type Run, runFolder, type Sample, writeRun } from '@hotspan/loadtests'
import { renderJson } from '../render/json.ts'
import { renderRunText } from '../render/run-text.ts'
import { columnsOf, wantsColor } from '../render/terminal.ts'
import { writeData } from './output.ts'
import { shownPath } from './shown-path.ts'
import type { StoreFlags, StorePlace } from './store-options.ts'

/** Flags of every command that records a run. */
export interface RunFlags extends StoreFlags {
  readonly scenario: string
  readonly format: 'text' | 'json'
  readonly output?: string
  /** Whether the run goes into the store too. */
  readonly import: boolean
}

/** Writes the run to its folder, puts it into the store unless told not to, and shows it. */
export async function keepRun(
  { run, samples, files }: { run: Run; samples: readonly Sample[]; files?: Record<string, string> },
  place: StorePlace,
  flags: RunFlags,
): Promise<void> {
  const folder = runFolder(place.dataDir, run.id)
  await writeRun(folder, run, samples, files)
  if (flags.import) {
    const store = await openStore({ dataDir: place.dataDir, project: place.project })
    try {
      await importRun(store, folder)
    } finally {
      await store.close()
    }
  }
  if (flags.format === 'json') return await writeData(renderJson(run), flags.output)
  const color = flags.output === undefined && wantsColor(process.stdout, process.env)
  await writeData(
    renderRunText(run, { color, width: columnsOf(process.stdout), folder: shownPath(folder) }),
    flags.output,
  )
}
