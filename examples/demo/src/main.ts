import { existsSync, readdirSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { spansOfTraces } from '@hotspan/collector'
import {
  ChromiumMissingError,
  findChromium,
  formatFaults,
  parseFaults,
  UnknownFaultError,
} from '@hotspan/example-shop'
import type { Run } from '@hotspan/loadtests'
import { exampleTraceIds, renderHtml, renderText } from 'hotspan/render'
import { type Demo, runDemo } from './demo.ts'
import { traceFacts } from './trace-facts.ts'

const usage = `npm run demo -- [options]

  --faults LIST    the shop's faults that are on: all, none, or names with commas   (default all)
  --seconds N      length of the load; findings need two distinct minutes          (default 75)
  --rate N         arrivals per second                                             (default 2)
  --report FILE    where the HTML report goes                                      (default hotspan-report.html)
  --no-lighthouse  leave the Lighthouse run out
  --json FILE      report, phases and the traces of the findings as JSON
  --data-dir DIR   keep the store there, for hotspan analyze --data-dir DIR; DIR is new or empty
  --keep           leave everything running until Ctrl+C`

function readOptions() {
  const { values } = parseArgs({
    options: {
      faults: { type: 'string', default: 'all' },
      seconds: { type: 'string', default: '75' },
      rate: { type: 'string', default: '2' },
      report: { type: 'string', default: 'hotspan-report.html' },
      json: { type: 'string' },
      'data-dir': { type: 'string' },
      'no-lighthouse': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    process.exit(0)
  }
  return {
    faults: formatFaults(faultsOf(values.faults)),
    seconds: positive('--seconds', values.seconds),
    arrivalsPerSec: positive('--rate', values.rate),
    reportFile: resolve(values.report),
    jsonFile: values.json === undefined ? undefined : resolve(values.json),
    dataDir: newFolder('--data-dir', values['data-dir']),
    lighthouse: !values['no-lighthouse'],
    keep: values.keep,
    chromium: findChromium(),
  }
}

function faultsOf(list: string): ReturnType<typeof parseFaults> {
  try {
    return parseFaults(list === 'none' ? '' : list)
  } catch (error) {
    if (!(error instanceof UnknownFaultError)) throw error
    usageError(`--faults is '${list}': ${error.message}, none`)
  }
}

function positive(flag: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) usageError(`${flag} is '${text}'; expected a number above 0`)
  return value
}

function newFolder(flag: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined
  if (existsSync(path) && (!statSync(path).isDirectory() || readdirSync(path).length > 0))
    usageError(`${flag} is '${path}', which is there already; expected a new or empty folder`)
  return resolve(path)
}

function usageError(message: string): never {
  console.error(`demo: ${message}\n\n${usage}`)
  process.exit(2)
}

const startedMs = Date.now()
const log = (line: string): void => {
  console.error(`${((Date.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${line}`)
}

const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => interrupted.abort(new Error(`interrupted by ${name}`)))

async function writeReport({ report, store }: Demo, file: string): Promise<void> {
  const traces = await spansOfTraces(store, report.window, exampleTraceIds(report))
  await writeFile(file, renderHtml(report, { traces }))
}

/** What a run measured, in one line. */
function runLine({ kind, metrics }: Run): string {
  const shown = (name: string, words: string): string[] => {
    const metric = metrics[name]
    if (metric === undefined) return []
    return [`${words} ${metric.unit === 'ms' ? `${metric.value.toFixed(0)} ms` : metric.value}`]
  }
  return kind === 'load'
    ? `Load          ${[...shown('requests', 'requests'), ...shown('latency.p50', 'p50'), ...shown('latency.p95', 'p95')].join(', ')}`
    : `Lighthouse    ${[...shown('performance.score', 'score'), ...shown('largest-contentful-paint', 'LCP'), ...shown('total-blocking-time', 'blocking')].join(', ')}`
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>
  try {
    options = readOptions()
  } catch (error) {
    if (!(error instanceof ChromiumMissingError)) usageError((error as Error).message)
    console.error(`demo: ${error.message}`)
    return 2
  }
  const demo = await runDemo({ ...options, signal: interrupted.signal, log })
  try {
    await writeReport(demo, options.reportFile)
    if (options.jsonFile) {
      const traces = await traceFacts(demo.store, demo.report)
      await writeFile(options.jsonFile, JSON.stringify({ report: demo.report, phases: demo.phases, traces }))
    }
    const kept = options.keep || options.dataDir !== undefined
    const report = renderText(demo.report, {
      color: Boolean(process.stdout.isTTY),
      width: process.stdout.columns ?? 100,
      brief: true,
      traceCommand: kept ? `npm run -s hotspan -- trace --data-dir ${demo.dataDir}` : '',
    })
    console.log(`\n${report}`)
    for (const run of demo.runs) console.log(runLine(run))
    console.log(`HTML report   ${options.reportFile}`)
    if (options.keep) {
      console.log(
        `Shop          ${demo.shop.url}\nLocal page    ${demo.pageUrl}\nOTLP          ${demo.otlpUrl}\n\nCtrl+C stops everything.`,
      )
      await new Promise<void>((stop) =>
        interrupted.signal.addEventListener('abort', () => stop(), { once: true }),
      )
    } else {
      console.log(
        `Look next     open the report; npm run demo -- --keep leaves shop, page and data running;\n              npm run demo -- --faults none shows the same shop without faults`,
      )
    }
  } finally {
    await demo.close()
  }
  return 0
}

main().then(
  (code) => process.exit(code),
  (error) => {
    if (interrupted.signal.aborted) {
      console.error(`demo: ${interrupted.signal.reason.message}`)
      process.exit(130)
    }
    console.error(`demo: ${error instanceof Error ? (error.stack ?? error.message) : error}`)
    process.exit(1)
  },
)
