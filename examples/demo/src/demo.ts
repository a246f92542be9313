import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { analyze, type Report, storeFindings } from '@hotspan/analyzers'
import { openStore, readBuildFolder, type Store, storeSourceMaps } from '@hotspan/collector'
import { type Shop, sourceMapFolders, startShop } from '@hotspan/example-shop'
import { importRun, type Run, runFolder, runLighthouse, writeRun } from '@hotspan/loadtests'
import { startCollector } from './collector-process.ts'
import { driveTraffic } from './traffic.ts'

export interface DemoOptions {
  /** Names of the shop's faults with commas, none when empty. */
  readonly faults: string
  readonly chromium: string
  /** How long the load and the visits go on; findings need two distinct minutes, so more than 60. */
  readonly seconds: number
  readonly arrivalsPerSec: number
  /** One Lighthouse run of the shop's first page after the load. */
  readonly lighthouse: boolean
  /** Where the store is kept; undefined for a temporary folder that is removed at the end. */
  readonly dataDir: string | undefined
  readonly signal: AbortSignal
  readonly log: (line: string) => void
}

export interface Phase {
  readonly name: string
  readonly seconds: number
}

/** A demo whose stack still runs: read what you need of the store, then close it. */
export interface Demo {
  readonly report: Report
  /** The load, and the Lighthouse run where one was made. */
  readonly runs: readonly Run[]
  readonly shop: Shop
  readonly store: Store
  readonly dataDir: string
  readonly pageUrl: string
  readonly otlpUrl: string
  readonly phases: readonly Phase[]
  /** Stops every process, closes the store and removes what is temporary. */
  close(): Promise<void>
}

/** Requests of a process's first seconds are left out: caches fill and code is compiled then. */
const warmUpSec = 15

/**
 * Starts the collector and the shop with these faults, drives both with a browser and a load, and analyses what came in.
 * Whatever it has started is stopped when it throws or is aborted.
 */
export async function runDemo(options: DemoOptions): Promise<Demo> {
  const { log, signal } = options
  const phases: Phase[] = []
  const closing: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).reverse()) await step().catch((error) => log(`closing: ${error}`))
  }
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    signal.throwIfAborted()
    log(name)
    const startedMs = Date.now()
    const result = await work()
    phases.push({ name, seconds: (Date.now() - startedMs) / 1000 })
    return result
  }
  try {
    const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'hotspan-demo-'))
    if (options.dataDir === undefined)
      closing.push(async () => rmSync(dataDir, { recursive: true, force: true }))

    const collector = await phase('starting the collector', () => startCollector(dataDir))
    closing.push(() => collector.close())

    const shop = await phase('starting the shop: PostgreSQL with its data, partner service, API', () =>
      startShop({
        faults: options.faults,
        otlpEndpoint: collector.otlpUrl,
        onProgress: log,
      }),
    )
    closing.push(() => shop.close())

    const startedMs = Date.now()
    await phase(`warming up for ${warmUpSec} s`, () => drive(options, shop, warmUpSec))
    const traffic = await phase(
      `${options.seconds} s of load (${options.arrivalsPerSec} requests/s) and visits in Chromium`,
      () => drive(options, shop, options.seconds),
    )
    const recorded = [{ run: traffic.run, samples: traffic.samples }]
    if (options.lighthouse) {
      recorded.push(
        await phase('one Lighthouse run of the first page', () =>
          runLighthouse({ url: shop.url, chromePath: options.chromium, signal }),
        ),
      )
    }

    const store = await openStore({ dataDir })
    closing.push(() => store.close())
    await phase("storing the source maps of the shop's page", async () => {
      for (const folder of sourceMapFolders) await storeSourceMaps(store, await readBuildFolder(folder))
    })
    const report = await phase('analysing', async () => {
      for (const { run, samples } of recorded) {
        const folder = runFolder(dataDir, run.id)
        await writeRun(folder, run, samples)
        await importRun(store, folder)
      }
      const report = await analyze(store, { fromMs: startedMs, toMs: Date.now(), warmUpSec })
      await storeFindings(store, report)
      return report
    })
    return {
      report,
      runs: recorded.map(({ run }) => run),
      shop,
      store,
      dataDir,
      pageUrl: collector.pageUrl,
      otlpUrl: collector.otlpUrl,
      phases,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const drive = (options: DemoOptions, shop: Shop, seconds: number) =>
  driveTraffic({ ...options, shopUrl: shop.url, seconds })
