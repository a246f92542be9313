import { openStore } from '@hotspan/collector'
import { type FormFactor, importRun, runFolder, runLighthouse, writeRun } from '@hotspan/loadtests'
import { parseHttpUrl, urlExpected } from '../config/parse.ts'
import { badValue } from '../errors.ts'
import { note, writeData } from '../process/output.ts'
import { shownPath, typedCommand } from '../process/run-folders.ts'
import { onStopSignals } from '../process/signals.ts'
import { type StoreFlags, storePlace } from '../process/store-options.ts'
import { renderJson } from '../render/json.ts'
import { renderRunText } from '../render/run-text.ts'
import { columnsOf, wantsColor } from '../render/terminal.ts'

export interface LighthouseFlags extends StoreFlags {
  readonly formFactor: FormFactor
  readonly scenario: string
  readonly timeout: number
  readonly chrome?: string
  readonly format: 'text' | 'json'
  readonly output?: string
  readonly import: boolean
}

export const runPage = async (address: string, flags: LighthouseFlags): Promise<void> => {
  const place = await storePlace(flags)
  const url = parseHttpUrl(address)
  if (url === undefined) throw badValue('URL', address, urlExpected)
  const stop = new AbortController()
  const forget = onStopSignals(() => stop.abort())
  try {
    note(`measuring ${url.href} as ${flags.formFactor}; this takes 10 to 60 s`)
    const { run, samples, lhr } = await runLighthouse({
      url: url.href,
      formFactor: flags.formFactor,
      scenario: flags.scenario,
      timeLimitMs: flags.timeout,
      signal: stop.signal,
      command: typedCommand(),
      ...(flags.chrome === undefined ? {} : { chromePath: flags.chrome }),
    })
    const folder = runFolder(place.dataDir, run.id)
    await writeRun(folder, run, samples, { 'lighthouse.json': JSON.stringify(lhr) })
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
  } finally {
    forget()
  }
}
