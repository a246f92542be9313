import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  decodeExportResponse,
  encodeLogs,
  encodeMetrics,
  encodeProfiles,
  encodeTraces,
  encodeTracesJson,
  type LogsData,
  type MetricsData,
} from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Collector, createCollector } from '../collector.ts'
import { profileOf } from '../test-support/made-profiles.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'

const dayMs = 86_400_000
const resource = { attributes: [], droppedAttributesCount: 0 }
const scope = { name: 's', version: '', attributes: [], droppedAttributesCount: 0 }

describe.skipIf(missingEngine() !== null)('times that cannot be kept', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let collector: Collector

  beforeAll(async () => {
    collector = await createCollector({ dataDir, otlpHttpPort: 0, pagePort: 0 })
  })

  afterAll(async () => {
    await collector.close()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const post = async (path: string, body: Uint8Array | string) => {
    const answer = await fetch(collector.otlpUrl + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : Buffer.from(body),
      headers: { 'content-type': typeof body === 'string' ? 'application/json' : 'application/x-protobuf' },
    })
    expect(answer.status).toBe(200)
    return Buffer.from(await answer.arrayBuffer())
  }
  const stored = async (table: string) => {
    await collector.flush()
    const answer = await collector.store.client.query({
      query: `SELECT toFloat64(count()) AS n, toFloat64(uniqExact(toDate(Timestamp))) AS days FROM ${table}`,
      format: 'JSONEachRow',
    })
    return (await answer.json())[0]
  }

  test('spans without a time, older than the retention and of the future are refused with the reason; the others stay', async () => {
    const now = Date.now()
    const times = [now, now - 29 * dayMs, now + dayMs / 2, 0, Date.UTC(2017, 0, 1), now - 32 * dayMs]
    const ahead = [now + 2 * dayMs, Date.UTC(2100, 0, 1), Date.UTC(2200, 0, 1)]
    const spans = [...times, ...ahead].map((ms, i) =>
      madeSpan(ms, { traceId: hex(1, 32), spanId: hex(i + 1, 16) }),
    )
    // Int64 of nanoseconds ends in 2262.
    spans.push({ ...spans[0]!, spanId: hex(99, 16), startTimeUnixNano: (1n << 63n) + 5n })
    const reasons = [
      '1 with no time',
      '2 with a time before the retention of 30 days',
      "4 with a time more than a day ahead of the collector's clock",
    ]
    const { rejected, errorMessage } = decodeExportResponse(
      await post('/v1/traces', encodeTraces(tracesOf('times', spans))),
    )!
    expect(rejected).toBe(7)
    for (const reason of reasons) expect(errorMessage).toContain(reason)
    const inJson = String(await post('/v1/traces', encodeTracesJson(tracesOf('times', spans))))
    expect(JSON.parse(inJson)).toMatchObject({ partialSuccess: { rejectedSpans: '7' } })
    expect(await stored('otel_traces')).toEqual({ n: 6, days: daysOf(times.slice(0, 3)) })
    expect(collector.stats()).toMatchObject({ receivedSpans: 6, rejectedSpans: 14 })
  })

  const daysOf = (times: readonly number[]) => new Set(times.map((ms) => Math.floor(ms / dayMs))).size

  test('so are log records, data points and profiles; a record without any time has that of its receipt', async () => {
    const ns = (ms: number) => BigInt(ms) * 1_000_000n
    const record = (timeUnixNano: bigint) => ({
      timeUnixNano,
      observedTimeUnixNano: 0n,
      severityNumber: 9,
      severityText: '',
      body: 'x',
      attributes: [],
      droppedAttributesCount: 0,
      flags: 0,
      traceId: '',
      spanId: '',
      eventName: '',
    })
    const times = [ns(Date.now()), 0n, 1n, ns(Date.UTC(2200, 0, 1))]
    const logs: LogsData = {
      resourceLogs: [
        { resource, schemaUrl: '', scopeLogs: [{ scope, schemaUrl: '', logRecords: times.map(record) }] },
      ],
    }
    expect(decodeExportResponse(await post('/v1/logs', encodeLogs(logs)))!.rejected).toBe(2)
    expect(await stored('otel_logs')).toMatchObject({ n: 2 })
    const points = times.map((timeUnixNano) => ({
      attributes: [],
      startTimeUnixNano: 0n,
      timeUnixNano,
      flags: 0,
      value: 1n,
      exemplars: [],
    }))
    const metric = { name: 'm', description: '', unit: '', metadata: [] }
    const metrics = {
      resourceMetrics: [
        {
          resource,
          schemaUrl: '',
          scopeMetrics: [{ scope, schemaUrl: '', metrics: [{ ...metric, data: { kind: 'gauge', points } }] }],
        },
      ],
    } as unknown as MetricsData
    const answer = decodeExportResponse(await post('/v1/metrics', encodeMetrics(metrics)))!
    expect(answer).toMatchObject({ rejected: 3, errorMessage: expect.stringContaining('1 with no time') })
    const old = encodeProfiles(profileOf('times', Date.UTC(2017, 0, 1), [{ stack: ['a'], value: 1 }]))
    expect(decodeExportResponse(await post('/v1development/profiles', old))!.rejected).toBe(1)
    expect(collector.stats().receivedProfiles).toBe(0)
  })
})
