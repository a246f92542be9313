import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Run, Sample } from '../run.ts'
import { exampleRun } from './run.fixture.ts'
import { listRunFolders, readRun, runFolder, writeRun } from './run-folder.ts'

let dataDir = ''
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'hotspan-runs-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const samples: Sample[] = [
  {
    type: 'request',
    endpoint: 'GET /ümlaut\n"quoted"',
    intendedUnixUs: 1_795_264_000_000_001,
    sentUnixUs: 1_795_264_000_000_300,
    durationUs: 1234,
    status: 200,
    bytes: 5,
    error: '',
    traceId: 'a'.repeat(32),
  },
  { type: 'page', page: '/', metric: 'lcp', value: 1234.5, unit: 'ms' },
]
const load: Run = exampleRun({ id: 'run-20261121T120000-00000001' })

test('what was written is read back, and the folder has nothing else beside it', async () => {
  const dir = runFolder(dataDir, load.id)
  await writeRun(dir, load, samples)
  expect(await readRun(dir)).toEqual({ run: load, samples })
  expect(await readdir(join(dataDir, 'runs'))).toEqual([load.id])
})

test('many samples survive the chunks', async () => {
  const many = Array.from({ length: 20_000 }, (_, i) => ({ ...samples[0]!, durationUs: i }) as Sample)
  await writeRun(runFolder(dataDir, load.id), load, many)
  expect((await readRun(runFolder(dataDir, load.id))).samples).toEqual(many)
})

test('folders are listed by time; a data directory without runs has none', async () => {
  expect(await listRunFolders(dataDir)).toEqual([])
  const later = exampleRun({ id: 'run-20261121T120500-00000000' })
  await writeRun(runFolder(dataDir, later.id), later, [])
  await writeRun(runFolder(dataDir, load.id), load, samples)
  expect(await listRunFolders(dataDir)).toEqual([runFolder(dataDir, load.id), runFolder(dataDir, later.id)])
})

test('a run is never overwritten', async () => {
  const dir = runFolder(dataDir, load.id)
  await writeRun(dir, load, samples)
  await expect(writeRun(dir, load, [])).rejects.toThrow(/exists; remove it/)
  expect((await readRun(dir)).samples).toHaveLength(2)
  expect(await readdir(join(dataDir, 'runs'))).toEqual([load.id])
})

test('bad input is refused with file, key, value and expectation', async () => {
  const dir = runFolder(dataDir, load.id)
  await writeRun(dir, load, samples)
  const file = join(dir, 'run.json')
  const cases: [unknown, RegExp][] = [
    [{ ...load, schemaVersion: 99 }, /run\.json: schemaVersion is 99; expected 1/],
    [{ ...load, id: '../../etc' }, /id is "\.\.\/\.\.\/etc"; expected run-/],
    [{ ...load, kind: 'marathon' }, /kind is "marathon"; expected load or lighthouse/],
    [{ ...load, dirty: 'yes' }, /dirty is "yes"; expected true or false/],
    [{ ...load, health: { ...load.health, sent: -1 } }, /health\.sent is -1; expected an integer >= 0/],
    [
      { ...load, health: { ...load.health, lateShareRatio: 2 } },
      /health\.lateShareRatio is 2; expected a number from 0 to 1/,
    ],
    [
      { ...load, metrics: { x: { value: 'fast', unit: 'ms', n: 1 } } },
      /metrics\.x\.value is "fast"; expected a number/,
    ],
    [{ ...load, command: 'npm' }, /command is "npm"; expected a list of texts/],
    [{ ...load, seed: undefined }, /seed is undefined; expected an integer/],
    [[], /the content is \[\]; expected a JSON object/],
  ]
  for (const [value, message] of cases) {
    await writeFile(file, JSON.stringify(value))
    await expect(readRun(dir)).rejects.toThrow(message)
    await expect(readRun(dir)).rejects.toThrow(file)
  }
  await writeFile(file, '{ half')
  await expect(readRun(dir)).rejects.toThrow(/run\.json: the content is "{ half"; expected JSON/)
  await expect(readRun(join(dataDir, 'nothing'))).rejects.toThrow(/is no run: run\.json is not there/)
})

test('a bad line of the samples is named by its number', async () => {
  const dir = runFolder(dataDir, load.id)
  await writeRun(dir, load, samples)
  const file = join(dir, 'samples.jsonl')
  const good = await readFile(file, 'utf8')
  await appendFile(file, '{"type":"request","endpoint":7}\n')
  await expect(readRun(dir)).rejects.toThrow(/samples\.jsonl:3: endpoint is 7; expected text/)
  await writeFile(file, `${good.slice(0, -10)}`)
  await expect(readRun(dir)).rejects.toThrow(/samples\.jsonl:2: the content is/)
  await rm(file)
  await expect(readRun(dir)).rejects.toThrow(/samples\.jsonl is not there/)
})
