import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect } from 'vitest'
import { hotspanEsbuild } from '../esbuild.ts'
import { attributesOf, type ReceivedSpan, startSink } from './sink.ts'
import { startApp } from './test-app.ts'

/** What one driver's steps made: per step its own span and the client spans below it, in order of their start. */
export type Steps = Map<string, { readonly root: ReceivedSpan; readonly spans: readonly ReceivedSpan[] }>

export interface Runs {
  readonly ours: Steps
  readonly esm: Steps
  readonly stock: Steps
  readonly bundled: Steps | undefined
}

const byStart = (a: ReceivedSpan, b: ReceivedSpan): number =>
  a.startTimeUnixNano < b.startTimeUnixNano ? -1 : a.startTimeUnixNano > b.startTimeUnixNano ? 1 : 0

async function run(file: string, driver: string, port: number, isStock: boolean): Promise<Steps> {
  const sink = await startSink()
  const app = await startApp(
    file,
    {
      DRIVER: driver,
      HOST: '127.0.0.1',
      PORT: String(port),
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      HOTSPAN_CALL_SITES: '1',
      HOTSPAN_DISABLED_INSTRUMENTATIONS: 'event-loop',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
    },
    isStock ? { agent: false, nodeArgs: ['--import', './test-apps/stock-databases.mjs'] } : {},
  )
  await Promise.race([
    app.printed(({ done }) => done === true),
    app.ended.then(() => {
      throw new Error(`${file} ended before its steps were done:\n${app.stderr()}`)
    }),
  ])
  await app.end()
  await sink.close()
  expect(app.stderr()).not.toContain('switched off')
  const steps: Steps = new Map()
  const ofApp = sink.spans.filter(({ scopeName }) => scopeName === 'steps')
  for (const root of ofApp) {
    const spans = sink.spans.filter(
      (span) => span.parentSpanId === root.spanId && span.traceId === root.traceId && !ofApp.includes(span),
    )
    steps.set(root.name, { root, spans: spans.sort(byStart) })
  }
  return steps
}

/** The three ways to run the same steps, one after the other: they change the same data. */
export async function runAll(driver: string, port: number): Promise<Runs> {
  const stock = await run('databases.cjs', driver, port, true)
  const ours = await run('databases.cjs', driver, port, false)
  const esm = await run('databases.mjs', driver, port, false)
  const isBundled = driver !== 'mongodb'
  return { stock, ours, esm, bundled: isBundled ? await runBundled(driver, port) : undefined }
}

/** The CommonJS app as one file, made with our plugin; nothing of it is loaded by a package's name. */
async function runBundled(driver: string, port: number): Promise<Steps> {
  const apps = fileURLToPath(new URL('../../test-apps', import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bundle-'))
  try {
    const outfile = join(folder, 'app.cjs')
    await build({
      entryPoints: [join(apps, 'databases.cjs')],
      bundle: true,
      platform: 'node',
      external: ['mongodb'],
      plugins: [hotspanEsbuild()],
      logLevel: 'silent',
      outfile,
    })
    return await run(relative(apps, outfile), driver, port, false)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where ours differ from the stock package's, and why. */
export interface Differences {
  /** Steps that are left out. */
  readonly without?: readonly string[]
  readonly name?: (span: ReceivedSpan) => string
  /** Our spans that the stock package has no counterpart of. */
  readonly added?: RegExp
  readonly attributes?: readonly string[]
  /** Steps whose status differs. */
  readonly status?: readonly string[]
}

/** Each stock span has its counterpart: name, kind, flags, status, and every attribute with type and value but scrubbed text. */
export function expectSame(runs: Runs, differences: Differences): void {
  const { without = [], name = (span) => span.name, added, attributes = [], status = [] } = differences
  expect(runs.stock.size).toBeGreaterThan(5)
  for (const [step, { spans }] of runs.stock) {
    if (without.includes(step)) continue
    const mine = runs.ours.get(step)!.spans.filter((span) => !added?.test(span.name))
    const view = (span: ReceivedSpan, keys: readonly string[]): object => {
      const all = attributesOf(span)
      return {
        name: name(span),
        kind: span.kind,
        flags: span.flags,
        status: status.includes(step) ? 0 : span.status.code,
        attributes: Object.fromEntries(
          keys
            .filter((key) => !attributes.includes(key))
            .map((key) => [key, key === 'db.query.text' ? typeof all[key] : all[key]]),
        ),
      }
    }
    const keys = [...new Set(spans.flatMap((span) => Object.keys(attributesOf(span))))].sort()
    const all = (list: readonly ReceivedSpan[]): string[] =>
      list.map((span) => JSON.stringify(view(span, keys))).sort()
    expect(all(mine), step).toEqual(all(spans))
  }
}

/** Nothing of what the steps call secret leaves the process, nor do the comments and values around it. */
export function expectNoSecret(runs: Runs): void {
  for (const steps of [runs.ours, runs.esm]) {
    for (const { spans } of steps.values()) {
      for (const span of spans) {
        expect(JSON.stringify([attributesOf(span), span.status.message])).not.toMatch(/secret|product:3|bob/)
      }
    }
  }
}

/** However a driver is loaded, its spans are the same. */
export function expectAlike({ ours, esm, bundled = ours }: Runs): void {
  const names = (steps: Steps): object =>
    Object.fromEntries(
      [...steps].map(([step, { spans }]) => [
        step,
        spans
          .map(({ name }) => name)
          .filter((name) => !name.includes('connect'))
          .sort(),
      ]),
    )
  expect(names(esm)).toEqual(names(ours))
  expect(names(bundled)).toEqual(names(ours))
}

export const textsOf = (steps: Steps, step: string): unknown[] =>
  steps.get(step)!.spans.map((span) => attributesOf(span)['db.query.text'])
export const hashesOf = (steps: Steps, step: string): unknown[] =>
  steps.get(step)!.spans.map((span) => attributesOf(span)['hotspan.db.parameters.hash'])
