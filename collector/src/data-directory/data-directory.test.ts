import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTraces } from '@hotspan/otlp'
import { describe, expect, test } from 'vitest'
import { createCollector } from '../collector.ts'
import { socketClient } from '../engine/client.ts'
import { Engine } from '../engine/engine.ts'
import { databaseOf, migrate } from '../schema/migrations.ts'
import { openStore } from '../store.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { spawnCollector } from '../test-support/spawn-collector.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { liveOwner, newOwner, releaseOwnership, takeOwnership } from './owner.ts'
import { processStart } from './process-identity.ts'

const quiet = () => undefined

async function send(url: string, number: number): Promise<void> {
  const spans = [madeSpan(Date.now(), { traceId: hex(number, 32), spanId: hex(1, 16) })]
  const answer = await fetch(`${url}/v1/traces`, {
    method: 'POST',
    body: Buffer.from(encodeTraces(tracesOf('owner', spans))),
    headers: { 'content-type': 'application/x-protobuf' },
  })
  expect(answer.status).toBe(200)
}

async function spanCount(dataDir: string): Promise<number> {
  const store = await openStore({ dataDir, onEvent: quiet })
  const answer = await store.client.query({
    query: 'SELECT count() AS n FROM otel_traces',
    format: 'JSONEachRow',
  })
  const [row] = await answer.json<{ n: string }>()
  await store.close()
  return Number(row!.n)
}

describe('owner record', () => {
  test('one of two takes the directory; a dead owner and an unreadable record are passed over', () => {
    const dataDir = temporaryDirectory()
    const first = newOwner('default')
    expect(takeOwnership(dataDir, first)).toBe(true)
    expect(takeOwnership(dataDir, newOwner('default'))).toBe(false)
    expect(statSync(join(dataDir, 'owner.json')).mode & 0o777).toBe(0o600)
    releaseOwnership(dataDir, 'another')
    expect(liveOwner(dataDir)?.nonce).toBe(first.nonce)
    releaseOwnership(dataDir, first.nonce)
    expect(liveOwner(dataDir)).toBeNull()

    // The same process id, but another process: it started at another time.
    expect(takeOwnership(dataDir, { ...newOwner('default'), processStart: 'long ago' })).toBe(true)
    expect(liveOwner(dataDir)).toBeNull()
    expect(takeOwnership(dataDir, newOwner('default'))).toBe(true)

    for (const broken of ['', '{', 'null', '[]', '{"schemaVersion":1}', '\0\0\0']) {
      writeFileSync(join(dataDir, 'owner.json'), broken)
      expect(liveOwner(dataDir)).toBeNull()
      expect(takeOwnership(dataDir, newOwner('default'))).toBe(true)
    }
    expect(readdirSync(dataDir)).toEqual(['owner.json'])
  })

  test('a process is told from a later one with its id', () => {
    expect(processStart(process.pid)).toBe(processStart(process.pid))
    expect(processStart(process.pid)).not.toBe(processStart(process.ppid))
    expect(processStart(0)).toBe('')
    expect(processStart(2 ** 30)).toBe('')
  })
})

describe.skipIf(missingEngine() !== null)('data directory', () => {
  test('a second collector is refused with the way out, a second store is connected', {
    timeout: 60_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    const running = await spawnCollector(dataDir)
    await send(running.otlpUrl, 1)
    const store = await openStore({ dataDir })
    expect(store.mode).toBe('connected')
    await store.close()
    await expect(createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0 })).rejects.toMatchObject({
      code: 'HS_STORE_OWNED',
      message: expect.stringContaining(running.pageUrl),
    })
    await running.stop()
    const owned = await openStore({ dataDir })
    expect(owned.mode).toBe('owned')
    await owned.close()
    expect(await spanCount(dataDir)).toBe(1)
    expect(readFileSync(join(dataDir, '.gitignore'), 'utf8')).toContain('\n*\n')
    expect(liveOwner(dataDir)).toBeNull()
  })

  test('a taken port is named, and the directory is free again', async () => {
    const dataDir = temporaryDirectory()
    const other = await createCollector({ dataDir: temporaryDirectory(), otlpHttpPort: 0, pagePort: 0 })
    const port = Number(new URL(other.otlpUrl).port)
    await expect(createCollector({ dataDir, otlpHttpPort: port, pagePort: 0 })).rejects.toMatchObject({
      code: 'HS_PORT_TAKEN',
      message: expect.stringContaining(String(port)),
    })
    expect(liveOwner(dataDir)).toBeNull()
    await other.close()
  })

  test('a corrupt owner record does not let a second engine in while the first one lives', {
    timeout: 60_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    const running = await spawnCollector(dataDir)
    await send(running.otlpUrl, 1)
    writeFileSync(join(dataDir, 'owner.json'), 'broken')
    const holder = JSON.parse(readFileSync(join(dataDir, 'store.holder.json'), 'utf8')) as { pid: number }
    expect(processStart(holder.pid)).not.toBe('')
    // The directory looks free, its store is not: nothing is moved aside, and it opens when the first one is gone.
    const opening = openStore({ dataDir, onEvent: quiet })
    const stopped = new Promise<void>((resolve, reject) => {
      setTimeout(() => running.stop().then(resolve, reject), 1500)
    })
    const store = await opening
    await stopped
    expect(store.mode).toBe('owned')
    await store.close()
    expect(await spanCount(dataDir)).toBe(1)
    expect(readdirSync(dataDir).filter((name) => name.includes('quarantine'))).toEqual([])
  })

  test('a store that does not open is moved aside, never removed, and a new one starts', {
    timeout: 60_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    mkdirSync(join(dataDir, 'store', 'metadata'), { recursive: true })
    writeFileSync(join(dataDir, 'store', 'metadata', 'hotspan_default.sql'), 'not sql at all')
    const events: string[] = []
    const collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      onEvent: (event) => events.push(event),
    })
    expect(collector.quarantinedTo).toContain('store.quarantine-')
    expect(events.join()).toContain(collector.quarantinedTo!)
    expect(readFileSync(join(collector.quarantinedTo!, 'metadata', 'hotspan_default.sql'), 'utf8')).toBe(
      'not sql at all',
    )
    await send(collector.otlpUrl, 1)
    await collector.flush()
    await collector.close()
    expect(await spanCount(dataDir)).toBe(1)
  })

  test('a directory of a newer version is left untouched; an unreadable or older marker is no obstacle', {
    timeout: 60_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    const collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0 })
    await send(collector.otlpUrl, 1)
    await collector.close()
    const marker = join(dataDir, 'version.json')
    writeFileSync(marker, JSON.stringify({ directoryVersion: 99 }))
    await expect(openStore({ dataDir })).rejects.toMatchObject({ code: 'HS_STORE_NEWER' })
    expect(JSON.parse(readFileSync(marker, 'utf8'))).toEqual({ directoryVersion: 99 })
    for (const old of ['torn {', JSON.stringify({ directoryVersion: 0 })]) {
      writeFileSync(marker, old)
      expect(await spanCount(dataDir)).toBe(1)
      expect(JSON.parse(readFileSync(marker, 'utf8'))).toMatchObject({ directoryVersion: 1 })
    }
    rmSync(marker)
    expect(await spanCount(dataDir)).toBe(1)
    expect(existsSync(marker)).toBe(true)
  })

  test('tables of the previous migration are brought up to date with their data', {
    timeout: 60_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    const engine = await Engine.start({ storeDir: join(dataDir, 'store') })
    const client = socketClient(engine.socketPath, 'default')
    const database = databaseOf('default')
    await migrate(client, database, 2)
    await client.command({
      query: `INSERT INTO ${database}.otel_traces (Timestamp, TraceId, SpanId) VALUES (now64(9), 'a', 'b')`,
    })
    await client.command({
      query: `INSERT INTO ${database}.hotspan_findings (id, generated_at) SELECT toString(number), now64(3) FROM numbers(13)`,
    })
    await client.close()
    await engine.close()
    const store = await openStore({ dataDir })
    const answer = await store.client.query({
      query:
        'SELECT (SELECT max(version) FROM hotspan_migrations) AS version, (SELECT count() FROM otel_traces) AS spans, (SELECT count() FROM hotspan_findings) AS findings, (SELECT count() FROM otel_metrics_gauge) AS points, (SELECT count() FROM hotspan_source_maps) AS maps, (SELECT count() FROM hotspan_profiles) AS profiles',
      format: 'JSONEachRow',
    })
    expect(await answer.json()).toEqual([
      { version: 8, spans: '1', findings: '13', points: '0', maps: '0', profiles: '0' },
    ])
    await store.client.command({ query: "INSERT INTO hotspan_migrations SELECT 99, 'later', now64(3)" })
    await store.close()
    await expect(openStore({ dataDir })).rejects.toMatchObject({ code: 'HS_STORE_NEWER' })
  })

  test('a project is a database, and its name is checked', { timeout: 60_000 }, async () => {
    const dataDir = temporaryDirectory()
    const one = await openStore({ dataDir, project: 'one' })
    const two = await openStore({ dataDir, project: 'two' })
    expect([one.database, two.database, two.mode]).toEqual(['hotspan_one', 'hotspan_two', 'connected'])
    await two.close()
    await one.close()
    await expect(openStore({ dataDir, project: 'x; DROP' })).rejects.toMatchObject({
      code: 'HS_PROJECT_NAME',
    })
  })
})
