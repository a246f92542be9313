import { openStore } from '@hotspan/collector'
import {
  type Arrivals,
  type Endpoint,
  generateLoad,
  importRun,
  type LoadProgress,
  runFolder,
  writeRun,
} from '@hotspan/loadtests'
import { Command, Option } from 'commander'
import {
  durationExpected,
  numberBetween,
  parseDurationMs,
  parseHttpUrl,
  urlExpected,
} from '../config/parse.ts'
import { badValue } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { choice, parsed } from '../process/choice.ts'
import { note, writeData } from '../process/output.ts'
import { shownPath, typedCommand } from '../process/run-folders.ts'
import { onStopSignals } from '../process/signals.ts'
import { addStoreOptions, type StoreFlags, storePlace } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'
import { renderJson } from '../render/json.ts'
import { formatMs } from '../render/numbers.ts'
import { renderRunText } from '../render/run-text.ts'
import { columnsOf, wantsColor } from '../render/terminal.ts'

interface LoadFlags extends StoreFlags {
  readonly rate: number
  readonly duration: number
  readonly warmUp: number
  readonly arrivals: Arrivals
  readonly seed?: number
  readonly endpoint: Endpoint[]
  readonly timeout: number
  readonly scenario: string
  readonly allowRemote?: boolean
  readonly format: 'text' | 'json'
  readonly output?: string
  readonly import: boolean
}

const endpointExpected = "a path such as /products, with a method and a weight if needed: 'POST /cart x2'"

/** `[METHOD] /path [xWEIGHT]`. */
export const parseEndpoint = (text: string): Endpoint | undefined => {
  const match = /^(?:([A-Z]{3,10})\s+)?(\/[^\s#]*)(?:\s+x(\d+(?:\.\d+)?))?$/.exec(text.trim())
  if (!match) return undefined
  const [, method = 'GET', path = '/', weight] = match
  if (weight !== undefined && Number(weight) <= 0) return undefined
  return {
    name: `${method} ${path.split('?')[0]}`,
    method,
    path,
    ...(weight === undefined ? {} : { weight: Number(weight) }),
  }
}

const progressLine = (progress: LoadProgress): string => {
  const part = progress.warmingUp ? 'warm-up' : 'measuring'
  const share = Math.min(100, Math.floor((progress.elapsedMs / progress.lengthMs) * 100))
  return `${part} ${share} %  ${progress.due} due  ${progress.open} open  ${progress.failed} failed  p50 ${formatMs(progress.p50Ms)}  p95 ${formatMs(progress.p95Ms)}`
}

const runLoad = async (address: string, flags: LoadFlags, setExit: SetExit): Promise<void> => {
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
    const folder = runFolder(place.dataDir, run.id)
    await writeRun(folder, run, samples)
    if (flags.import) {
      const store = await openStore({ dataDir: place.dataDir, project: place.project })
      try {
        await importRun(store, folder)
      } finally {
        await store.close()
      }
    }
    if (flags.format === 'json') await writeData(renderJson(run), flags.output)
    else {
      const color = flags.output === undefined && wantsColor(process.stdout, process.env)
      await writeData(
        renderRunText(run, { color, width: columnsOf(process.stdout), folder: shownPath(folder) }),
        flags.output,
      )
    }
    if (run.health.voidReason !== '') {
      note(`hotspan: the run is void: ${run.health.voidReason}`)
      setExit(exitCode.inconclusive)
    }
  } finally {
    forget()
  }
}

const collect = (text: string, before: Endpoint[]): Endpoint[] => [
  ...before,
  parsed('--endpoint', parseEndpoint, endpointExpected)(text),
]

export const loadCommand = (setExit: SetExit): Command =>
  addStoreOptions(
    new Command('load')
      .description('drive an open-model load and record the run')
      .argument('<URL>', 'where to send it; loopback unless --allow-remote')
      .addOption(
        new Option('--rate <n>', 'arrivals per second')
          .argParser(parsed('--rate', numberBetween(0.001, 20_000, false), 'a number from 0.001 to 20000'))
          .default(10),
      )
      .addOption(
        new Option('--duration <duration>', 'length of the measured part')
          .argParser(parsed('--duration', parseDurationMs, durationExpected))
          .default(30_000, '30s'),
      )
      .addOption(
        new Option('--warm-up <duration>', 'sent before, not measured')
          .argParser(
            parsed('--warm-up', (text) => (text === '0' ? 0 : parseDurationMs(text)), durationExpected),
          )
          .default(0, '0'),
      )
      .addOption(
        new Option('--arrivals <kind>', 'poisson or constant')
          .argParser(choice('--arrivals', ['poisson', 'constant']))
          .default('poisson'),
      )
      .addOption(
        new Option('--seed <n>', 'repeats a schedule (default: drawn)').argParser(
          parsed('--seed', numberBetween(0, Number.MAX_SAFE_INTEGER, true), 'a whole number'),
        ),
      )
      .addOption(
        new Option('--endpoint <request>', "'GET /products x3'; repeat it for a mix")
          .argParser(collect)
          .default([], "the URL's path"),
      )
      .addOption(
        new Option('--timeout <duration>', 'limit of one request')
          .argParser(parsed('--timeout', parseDurationMs, durationExpected))
          .default(10_000, '10s'),
      )
      .option('--scenario <name>', 'name that groups runs', 'load')
      .option('--allow-remote', 'allow another machine as the target')
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      )
      .option('--output <file>', 'write the summary there instead of to stdout')
      .option('--no-import', 'only the run folder, not the store'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  hotspan load http://127.0.0.1:3000/products --rate 20 --duration 1m\n  hotspan load http://127.0.0.1:3000 --endpoint "GET / x3" --endpoint /cart\n\nLatency counts from the intended start. Exit code 3: the run is void.',
    )
    .action(async (address: string, flags: LoadFlags) => await runLoad(address, flags, setExit))
