import { type Arrivals, type Endpoint, generateLoad, type LoadProgress } from '@hotspan/loadtests'
import { parseHttpUrl, urlExpected } from '../config/parse.ts'
import { parseEndpoint } from '../config/parse-endpoint.ts'
import { badValue } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { keepRun, type RunFlags } from '../process/keep-run.ts'
import { note } from '../process/output.ts'
import { onStopSignals } from '../process/signals.ts'
import { storePlace } from '../process/store-options.ts'
import { typedCommand } from '../process/typed-command.ts'
import type { SetExit } from '../program.ts'
import { formatMs } from '../render/numbers.ts'

export interface LoadFlags extends RunFlags {
  readonly rate: number
  readonly duration: number
  readonly warmUp: number
  readonly arrivals: Arrivals
  readonly seed?: number
  readonly endpoint: Endpoint[]
  readonly timeout: number
  readonly allowRemote?: boolean
}

const progressLine = (progress: LoadProgress): string => {
  const part = progress.warmingUp ? 'warm-up' : 'measuring'
  const share = Math.min(100, Math.floor((progress.elapsedMs / progress.lengthMs) * 100))
  return `${part} ${share} %  ${progress.due} due  ${progress.open} open  ${progress.failed} failed  p50 ${formatMs(progress.p50Ms)}  p95 ${formatMs(progress.p95Ms)}`
}

export const runLoad = async (address: string, flags: LoadFlags, setExit: SetExit): Promise<void> => {
  const place = await storePlace(flags)
  const url = parseHttpUrl(address)
  if (url === undefined) throw badValue('URL', address, urlExpected)
  const named = flags.endpoint.length > 0
  const endpoints = named ? flags.endpoint : [parseEndpoint(`${url.pathname}${url.search}`)!]
  const stop = new AbortController()
  const forget = onStopSignals(() => stop.abort())
  const live = process.stderr.isTTY === true
  try {
    const { run, samples } = await generateLoad({
      url: named ? url.href : url.origin,
      scenario: { name: flags.scenario, endpoints },
      arrivals: flags.arrivals,
      arrivalsPerSec: flags.rate,
      measuredMs: flags.duration,
      warmUpMs: flags.warmUp,
      timeoutMs: flags.timeout,
      allowRemote: flags.allowRemote ?? false,
      signal: stop.signal,
      command: typedCommand(),
      ...(flags.seed === undefined ? {} : { seed: flags.seed }),
      ...(live
        ? { onProgress: (progress) => void process.stderr.write(`\r\u001b[K${progressLine(progress)}`) }
        : {}),
    })
    if (live) process.stderr.write('\r\u001b[K')
    await keepRun({ run, samples }, place, flags)
    if (run.health.voidReason !== '') {
      note(`hotspan: the run is void: ${run.health.voidReason}`)
      setExit(exitCode.inconclusive)
    }
  } finally {
    forget()
  }
}
