import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { badRunFile, LoadtestsError } from '../errors.ts'
import type { Run, Sample } from '../run.ts'
import { parseRun, parseSample } from './run-schema.ts'

export const runFile = 'run.json'
export const samplesFile = 'samples.jsonl'

/** Where the run of this id lies inside a data directory: `<dataDir>/runs/<id>`. */
export function runFolder(dataDir: string, id: string): string {
  return join(dataDir, 'runs', id)
}

/**
 * Writes the folder `dir` of one run. It appears whole or not at all: everything is written beside it and renamed. Throws
 * `HS_RUN_EXISTS` when the folder is there already: a measured run is never overwritten. `attachments` are further files by name,
 * such as Lighthouse's own result.
 */
export async function writeRun(
  dir: string,
  run: Run,
  samples: Iterable<Sample>,
  attachments: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<void> {
  const draft = join(dirname(dir), `.draft-${run.id}-${randomBytes(4).toString('hex')}`)
  await mkdir(draft, { recursive: true })
  try {
    await writeFile(join(draft, runFile), `${JSON.stringify(run, null, 2)}\n`)
    await pipeline(Readable.from(lines(samples)), createWriteStream(join(draft, samplesFile)))
    for (const [name, content] of Object.entries(attachments))
      await writeFile(join(draft, basename(name)), content, { flag: 'wx' })
    await rename(draft, dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
      throw new LoadtestsError(
        'HS_RUN_EXISTS',
        `${dir} exists; remove it, or write the run to another folder`,
      )
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** Whole chunks instead of a line at a time: a million samples must not be a million stream writes. */
function* lines(samples: Iterable<Sample>): Generator<string> {
  let chunk = ''
  for (const sample of samples) {
    chunk += `${JSON.stringify(sample)}\n`
    if (chunk.length < 64 * 1024) continue
    yield chunk
    chunk = ''
  }
  if (chunk !== '') yield chunk
}

/** The run and all its samples. Throws `HS_RUN_MISSING` or `HS_RUN_FILE` (file, line, key, value, expectation). */
export async function readRun(dir: string): Promise<{ run: Run; samples: Sample[] }> {
  const run = await readRunRecord(dir)
  const samples: Sample[] = []
  for await (const sample of readSamples(dir)) samples.push(sample)
  return { run, samples }
}

/** `run.json` alone. */
export async function readRunRecord(dir: string): Promise<Run> {
  const file = join(dir, runFile)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw new LoadtestsError('HS_RUN_MISSING', `${dir} is no run: ${runFile} is not there`)
  })
  return parseRun(parseJson(text, file), file)
}

/** The samples one by one, for runs that should not be held in memory. */
export async function* readSamples(dir: string): AsyncGenerator<Sample, void, void> {
  const file = join(dir, samplesFile)
  const exists = await stat(file).catch(() => undefined)
  if (!exists)
    throw new LoadtestsError('HS_RUN_MISSING', `${dir} is no whole run: ${samplesFile} is not there`)
  let number = 0
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    number++
    if (line === '') continue
    const place = `${file}:${number}`
    yield parseSample(parseJson(line, place), place)
  }
}

function parseJson(text: string, place: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw badRunFile(place, '', text, `JSON (${(error as Error).message})`)
  }
}

/** Folders of finished runs below `<dataDir>/runs`, oldest first; none when nothing was recorded. */
export async function listRunFolders(dataDir: string): Promise<string[]> {
  const runs = join(dataDir, 'runs')
  const entries = await readdir(runs, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  // Ids begin with their time, so the order of names is the order of runs.
  const names = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
  return names.sort().map((name) => join(runs, name))
}
