import { type FormFactor, runLighthouse } from '@hotspan/loadtests'
import { parseHttpUrl, urlExpected } from '../config/parse.ts'
import { badValue } from '../errors.ts'
import { keepRun, type RunFlags } from '../process/keep-run.ts'
import { note } from '../process/output.ts'
import { onStopSignals } from '../process/signals.ts'
import { storePlace } from '../process/store-options.ts'
import { typedCommand } from '../process/typed-command.ts'

export interface LighthouseFlags extends RunFlags {
  readonly formFactor: FormFactor
  readonly timeout: number
  readonly chrome?: string
}

export const measurePage = async (address: string, flags: LighthouseFlags): Promise<void> => {
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
    await keepRun({ run, samples, files: { 'lighthouse.json': JSON.stringify(lhr) } }, place, flags)
  } finally {
    forget()
  }
}
