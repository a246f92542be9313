import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { encodeProfiles, encodeTraces } from '@hotspan/otlp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Collector, createCollector } from '../collector.ts'
import { profileFunctions } from '../queries/profile-functions.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { openStore, type Store } from '../store.ts'
import { profileOf } from '../test-support/made-profiles.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { backup } from './backup.ts'
import { restore } from './restore.ts'

const spansPerTrace = 7

async function send(collector: Collector, trace: number): Promise<void> {
  const spans = Array.from({ length: spansPerTrace }, (_, i) =>
    madeSpan(Date.now(), { traceId: hex(trace, 32), spanId: hex(i + 1, 16) }),
  )
  const answer = await fetch(`${collector.otlpUrl}/v1/traces`, {
    method: 'POST',
    body: Buffer.from(encodeTraces(tracesOf('kept', spans))),
    headers: { 'content-type': 'application/x-protobuf' },
  })
  expect(answer.status).toBe(200)
}

async function traceNumbers(store: Store): Promise<number[]> {
  const answer = await store.client.query({
    query:
      'SELECT reinterpretAsUInt64(reverse(unhex(substring(TraceId, 17)))) AS n, count() AS spans FROM otel_traces GROUP BY n HAVING spans = 7 ORDER BY n',
    format: 'JSONEachRow',
  })
  return (await answer.json<{ n: string }>()).map(({ n }) => Number(n))
}

const quiet = { onEvent: () => undefined }

describe.skipIf(missingEngine() !== null)('backup and restore', () => {
  test('a backup under traffic holds whole traces with their lookup, and everything acknowledged before it', {
    timeout: 120_000,
  }, async () => {
    const folder = temporaryDirectory()
    const dataDir = join(folder, 'data')
    const collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, ...quiet })
    onTestFinished(() => collector.close())
    mkdirSync(join(dataDir, 'runs', 'one'), { recursive: true })
    writeFileSync(join(dataDir, 'runs', 'one', 'run.json'), '{"a":1}')
    for (let trace = 1; trace <= 31; trace++) await send(collector, trace)
    const profile = await fetch(`${collector.otlpUrl}/v1development/profiles`, {
      method: 'POST',
      body: Buffer.from(encodeProfiles(profileOf('kept', Date.now(), [{ stack: ['b', 'a'], value: 1 }]))),
      headers: { 'content-type': 'application/x-protobuf' },
    })
    expect(profile.status).toBe(200)
    let sending = true
    let last = 31
    const traffic = (async () => {
      while (sending) await send(collector, ++last)
    })()
    const made = await backup({ dataDir, to: join(folder, 'copy.tar.gz'), ...quiet })
    sending = false
    await traffic
    expect(made.databases).toEqual(['hotspan_default'])
    expect(readdirSync(folder).sort()).toEqual(['copy.tar.gz', 'data'])
    await expect(backup({ dataDir, to: join(folder, 'copy.tar.gz') })).rejects.toMatchObject({
      code: 'HS_BACKUP',
    })
    // The owner is alive: nothing may be put under it.
    await expect(restore({ from: join(folder, 'copy.tar.gz'), dataDir })).rejects.toMatchObject({
      code: 'HS_STORE_OWNED',
    })

    const other = join(folder, 'other')
    const report = await restore({ from: join(folder, 'copy.tar.gz'), dataDir: other, ...quiet })
    expect(report.movedTo).toBeNull()
    const store = await openStore({ dataDir: other })
    onTestFinished(() => store.close())
    const numbers = await traceNumbers(store)
    expect(numbers.length * spansPerTrace).toBe(report.spans)
    expect(numbers.slice(0, 31)).toEqual(Array.from({ length: 31 }, (_, i) => i + 1))
    for (const number of [1, 31, numbers.at(-1)!])
      expect(await traceById(store, hex(number, 32))).toHaveLength(spansPerTrace)
    const lastHour = { fromMs: Date.now() - 3_600_000, toMs: Date.now() + 60_000 }
    expect(await profileFunctions(store, lastHour, { service: 'kept' })).toHaveLength(2)
    const lost = await store.client.query({
      query:
        'SELECT count() AS n FROM otel_traces WHERE TraceId NOT IN (SELECT TraceId FROM otel_traces_trace_id_ts)',
      format: 'JSONEachRow',
    })
    expect(await lost.json()).toEqual([{ n: '0' }])
    expect(readFileSync(join(other, 'runs', 'one', 'run.json'), 'utf8')).toBe('{"a":1}')
    // The restored store goes on: new rows, and their lookup by the view.
    const rows = await store.client.query({
      query: `SELECT count() AS n FROM system.tables WHERE database = 'hotspan_default' AND name = 'otel_traces_trace_id_ts_mv'`,
      format: 'JSONEachRow',
    })
    expect(await rows.json()).toEqual([{ n: '1' }])
  })

  test('restore moves the store that is there aside; a damaged backup leaves all as it was', {
    timeout: 120_000,
  }, async () => {
    const folder = temporaryDirectory()
    const dataDir = join(folder, 'data')
    const fill = async (trace: number) => {
      const collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0, ...quiet })
      await send(collector, trace)
      await collector.close()
    }
    const stored = async () => {
      const store = await openStore({ dataDir })
      const numbers = await traceNumbers(store)
      await store.close()
      return numbers
    }
    await fill(1)
    const run = (name: string) => join(dataDir, 'runs', name, 'run.json')
    const record = (name: string, text: string) => {
      mkdirSync(dirname(run(name)), { recursive: true })
      writeFileSync(run(name), text)
    }
    record('one', 'first')
    record('two', 'first')
    // Nobody owns the directory: the command opens the store itself.
    await backup({ dataDir, to: join(folder, 'copy'), ...quiet })
    await fill(2)
    expect(await stored()).toEqual([1, 2])

    rmSync(dirname(run('one')), { recursive: true })
    record('two', 'changed since')

    const damaged = join(folder, 'damaged')
    await backup({ dataDir, to: damaged, ...quiet })
    rmSync(join(damaged, 'tables', 'hotspan_default', 'data'), { recursive: true })
    await expect(restore({ from: damaged, dataDir, ...quiet })).rejects.toMatchObject({ code: 'HS_RESTORE' })
    expect(await stored()).toEqual([1, 2])

    // A file that cannot be written: a file is where its folder would be.
    const copied = join(folder, 'copy', 'files', 'zone')
    mkdirSync(copied)
    writeFileSync(join(copied, 'a'), '')
    writeFileSync(join(dataDir, 'zone'), 'a file')
    await expect(restore({ from: join(folder, 'copy'), dataDir, ...quiet })).rejects.toMatchObject({
      code: 'HS_RESTORE',
    })
    expect(await stored()).toEqual([1, 2])
    expect(readdirSync(join(dataDir, 'runs'))).toEqual(['two'])
    rmSync(join(dataDir, 'zone'))

    const fresh = join(folder, 'fresh')
    await expect(restore({ from: damaged, dataDir: fresh, ...quiet })).rejects.toMatchObject({
      code: 'HS_RESTORE',
    })
    expect(existsSync(fresh)).toBe(false)

    const report = await restore({ from: join(folder, 'copy'), dataDir, ...quiet })
    expect(await stored()).toEqual([1])
    expect(readFileSync(run('one'), 'utf8')).toBe('first')
    expect(readFileSync(run('two'), 'utf8')).toBe('changed since')
    expect(existsSync(report.movedTo ?? '')).toBe(true)
    await expect(restore({ from: folder, dataDir, ...quiet })).rejects.toThrow(/no manifest.json/)
  })
})
