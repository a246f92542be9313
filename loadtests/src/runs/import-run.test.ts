import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CollectorError, openStore, type Store } from '@hotspan/collector'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Run, Sample } from '../run.ts'
import { importRun } from './import-run.ts'
import { listRuns, runSamples } from './list-runs.ts'
import { exampleRun } from './run.fixture.ts'
import { readRun, runFolder, writeRun } from './run-folder.ts'

const required = (process.env.HOTSPAN_REQUIRE ?? '').split(',').includes('chdb')

let missing = ''
let dataDir = ''
let store: Store
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'hotspan-import-'))
  try {
    store = await openStore({ dataDir, onEvent: () => {} })
  } catch (error) {
    const absent = error instanceof CollectorError && /^HS_ENGINE_(PLATFORM|MISSING)$/.test(error.code)
    if (!absent || required) throw error
    missing = error.message
  }
}, 60_000)
afterAll(async () => {
  await store?.close()
  await rm(dataDir, { recursive: true, force: true })
}, 60_000)

const load: Run = exampleRun({ id: 'run-20261121T120000-0000000a' })
const requests: Sample[] = Array.from({ length: 1234 }, (_, i) => ({
  type: 'request',
  endpoint: i % 2 === 0 ? 'GET /products/:id' : 'GET "ümlaut"\t\\',
  intendedUnixUs: load.startedAtUnixMs * 1000 + i * 12_500,
  sentUnixUs: load.startedAtUnixMs * 1000 + i * 12_500 + 90,
  durationUs: 1000 + i,
  status: i === 7 ? 0 : 200,
  bytes: i,
  error: i === 7 ? 'timeout' : '',
  traceId: i.toString(16).padStart(32, '0'),
}))
const page = exampleRun({
  id: 'run-20261121T130000-0000000b',
  kind: 'lighthouse',
  driver: 'lighthouse',
  model: 'page',
  arrivals: 'none',
  startedAtUnixMs: load.startedAtUnixMs + 3_600_000,
})
const figures: Sample[] = [
  { type: 'page', page: '/', metric: 'cumulative-layout-shift', value: 0.0123, unit: '1' },
  { type: 'page', page: '/', metric: 'total-byte-weight', value: 166_655, unit: 'By' },
]

test('an imported run comes back as it was recorded, and importing twice is importing once', async (context) => {
  if (missing) return context.skip(missing)
  for (const [run, samples] of [
    [load, requests],
    [page, figures],
  ] as const) {
    const dir = runFolder(dataDir, run.id)
    await writeRun(dir, run, samples)
    expect(await importRun(store, dir)).toEqual({ run, imported: true, samples: samples.length })
    expect(await importRun(store, dir)).toEqual({ run, imported: false, samples: 0 })
    expect(await runSamples(store, run.id)).toEqual(samples)
    expect((await readRun(dir)).samples).toEqual(samples)
  }
  const all = { fromMs: load.startedAtUnixMs, toMs: page.startedAtUnixMs }
  expect(await listRuns(store, all)).toEqual([load, page])
  expect(await listRuns(store, { ...all, toMs: page.startedAtUnixMs - 1 })).toEqual([load])
}, 60_000)

test('an import that was cut off leaves no run, and repeating it leaves no sample twice', async (context) => {
  if (missing) return context.skip(missing)
  const cut = exampleRun({
    id: 'run-20261121T140000-0000000c',
    startedAtUnixMs: load.startedAtUnixMs + 7_200_000,
  })
  const dir = runFolder(dataDir, cut.id)
  await writeRun(dir, cut, requests)
  const file = join(dir, 'samples.jsonl')
  const whole = await readFile(file, 'utf8')
  // A line in the middle is broken, as after a full disk: samples before it may be in the store already.
  const tooMany = whole.repeat(45)
  await writeFile(file, `${tooMany}{"type":"request"\n`)
  await expect(importRun(store, dir)).rejects.toThrow(/samples\.jsonl:55531: /)
  expect((await runSamples(store, cut.id)).length).toBe(50_000)
  const scope = { fromMs: cut.startedAtUnixMs, toMs: cut.startedAtUnixMs }
  expect(await listRuns(store, scope)).toEqual([])
  await writeFile(file, tooMany)
  expect(await importRun(store, dir)).toMatchObject({ imported: true, samples: 45 * 1234 })
  expect(await runSamples(store, cut.id)).toHaveLength(45 * 1234)
  expect(await listRuns(store, scope)).toEqual([cut])
}, 120_000)
