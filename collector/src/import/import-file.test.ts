import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  encodeLogs,
  encodeLogsJson,
  encodeMetrics,
  encodeMetricsJson,
  encodeProfiles,
  encodeProfilesJson,
  encodeTraces,
  encodeTracesJson,
} from '@hotspan/otlp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { traceById } from '../queries/trace-by-id.ts'
import { openStore, type Store } from '../store.ts'
import { oneLog } from '../test-support/made-logs.ts'
import { everyKindOfMetric, metricsOf } from '../test-support/made-metrics.ts'
import { profileOf } from '../test-support/made-profiles.ts'
import { hex, madeSpan, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { importFile } from './import-file.ts'

const slow = { timeout: 60_000 }
const atMs = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 3_600_000
let nextTrace = 1

function oneTrace(spans = 3) {
  const traceId = hex(nextTrace++, 32)
  const list = Array.from({ length: spans }, (_, i) => madeSpan(atMs, { traceId, spanId: hex(i + 1, 16) }))
  return { traceId, data: tracesOf('imported', list) }
}

describe.skipIf(missingEngine() !== null)('import of files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hotspan-test-'))
  let store: Store

  beforeAll(async () => {
    store = await openStore({ dataDir: join(directory, 'data') })
  }, 60_000)

  afterAll(async () => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(directory, name)
    writeFileSync(path, content)
    return path
  }
  const framed = (message: Uint8Array): Buffer => {
    const head = Buffer.alloc(4)
    head.writeUInt32BE(message.length)
    return Buffer.concat([head, message])
  }

  test('OTLP JSON, one document over several lines, plain and gzip; twice is once', slow, async () => {
    const { traceId, data } = oneTrace()
    const text = JSON.stringify(JSON.parse(encodeTracesJson(data)), null, 2)
    const plain = await importFile(store, file('a.json', text))
    expect(plain).toMatchObject({ format: 'otlp-json', spans: 3, skipped: 0, fromMs: atMs })
    expect(await importFile(store, file('a.json.gz', gzipSync(text)))).toMatchObject({ spans: 3 })
    expect(await traceById(store, traceId)).toHaveLength(3)
    const answer = await store.client.query({
      query: 'SELECT count() AS n FROM otel_traces WHERE TraceId = {traceId:String}',
      query_params: { traceId },
      format: 'JSONEachRow',
    })
    expect(await answer.json()).toEqual([{ n: '3' }])
  })

  test('JSON lines of all signals; a torn line is counted and named', slow, async () => {
    const one = oneTrace()
    const two = oneTrace(25_000)
    const lines = [
      encodeTracesJson(one.data),
      encodeLogsJson(oneLog('imported', 'from a file')),
      encodeMetricsJson(metricsOf('imported', everyKindOfMetric(atMs))),
      encodeProfilesJson(profileOf('imported', atMs, [{ stack: ['b', 'a'], value: 1 }])),
      '',
      encodeTracesJson(two.data),
      encodeTracesJson(one.data).slice(0, 100),
    ]
    const report = await importFile(store, file('all.jsonl', lines.join('\n')))
    expect(report).toMatchObject({
      format: 'otlp-json',
      spans: 25_003,
      logs: 1,
      metricPoints: 8,
      profiles: 1,
      skipped: 1,
    })
    expect(report.firstSkipped).toMatch(/^line 7: /)
    expect(await traceById(store, two.traceId)).toHaveLength(25_000)
  })

  test('OTLP protobuf of each signal, one message or many behind their lengths', slow, async () => {
    const traces = oneTrace()
    expect(await importFile(store, file('t.binpb', encodeTraces(traces.data)))).toMatchObject({
      format: 'otlp-protobuf',
      spans: 3,
    })
    const more = oneTrace()
    const stream = Buffer.concat([
      framed(encodeTraces(more.data)),
      framed(encodeLogs(oneLog('imported', 'in protobuf'))),
      framed(encodeMetrics(metricsOf('imported', everyKindOfMetric(atMs + 1)))),
      framed(encodeProfiles(profileOf('imported', 0, [{ stack: ['c'], value: 2 }]))),
    ])
    expect(await importFile(store, file('stream.pb', stream))).toMatchObject({
      spans: 3,
      logs: 1,
      metricPoints: 8,
      profiles: 1,
    })
    const profiles = await store.client.query({
      query: `SELECT FunctionName AS name FROM hotspan_profile_functions WHERE Timestamp > '2000-01-01' ORDER BY name`,
      format: 'JSONEachRow',
    })
    expect(await profiles.json()).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }])
    expect(await traceById(store, more.traceId)).toHaveLength(3)
  })

  test('Jaeger JSON: references, tags, logs, processes', slow, async () => {
    const us = atMs * 1000
    const traceID = '1f2e3d4c5b6a7988'
    const document = {
      data: [
        {
          traceID,
          spans: [
            {
              traceID,
              spanID: 'aaaaaaaaaaaaaaaa',
              operationName: 'GET /orders',
              references: [],
              startTime: us,
              duration: 9000,
              tags: [
                { key: 'span.kind', type: 'string', value: 'server' },
                { key: 'http.status_code', type: 'int64', value: 500 },
                { key: 'error', type: 'bool', value: true },
              ],
              logs: [
                {
                  timestamp: us + 10,
                  fields: [
                    { key: 'event', type: 'string', value: 'exception' },
                    { key: 'stack', type: 'string', value: 'at f' },
                  ],
                },
              ],
              processID: 'p1',
            },
            {
              traceID,
              spanID: 'bbbb',
              operationName: 'SELECT orders',
              references: [
                { refType: 'CHILD_OF', traceID, spanID: 'aaaaaaaaaaaaaaaa' },
                { refType: 'FOLLOWS_FROM', traceID: 'ff', spanID: 'cc' },
              ],
              startTime: us + 1000,
              duration: 2000,
              tags: [],
              logs: [],
              processID: 'p1',
            },
          ],
          processes: {
            p1: { serviceName: 'orders', tags: [{ key: 'hostname', type: 'string', value: 'h1' }] },
          },
        },
      ],
    }
    const report = await importFile(store, file('jaeger.json', JSON.stringify(document)))
    expect(report).toMatchObject({ format: 'jaeger', spans: 2 })
    expect(await traceById(store, traceID.padStart(32, '0'))).toMatchObject([
      {
        name: 'GET /orders',
        service: 'orders',
        kind: 'server',
        statusCode: 'error',
        durationNs: 9_000_000,
        attributes: { 'http.status_code': '500', error: 'true' },
        resource: { hostname: 'h1', 'service.name': 'orders' },
        events: [{ name: 'exception', attributes: { stack: 'at f' } }],
      },
      {
        spanId: '000000000000bbbb',
        parentSpanId: 'aaaaaaaaaaaaaaaa',
        links: [{ traceId: 'ff'.padStart(32, '0'), spanId: 'cc'.padStart(16, '0') }],
      },
    ])
  })

  test('Zipkin JSON', slow, async () => {
    const span = {
      traceId: '77'.repeat(16),
      id: '77',
      name: 'z',
      timestamp: atMs * 1000,
      duration: 7,
      localEndpoint: { serviceName: 'zip' },
    }
    expect(await importFile(store, file('zipkin.json', JSON.stringify([span])))).toMatchObject({
      format: 'zipkin',
      spans: 1,
    })
    expect(await traceById(store, '77'.repeat(16))).toMatchObject([{ service: 'zip', durationNs: 7000 }])
  })

  test('a Chrome trace: nesting by time, pairs, asynchronous events, names', slow, async () => {
    const event = (ph: string, name: string, ts: number, more: object = {}) => ({
      ph,
      name,
      ts,
      pid: 7,
      tid: 1,
      cat: 'devtools.timeline',
      ...more,
    })
    const document = {
      metadata: { startTime: new Date(atMs).toISOString() },
      traceEvents: [
        event('M', 'process_name', 0, { args: { name: 'Renderer' } }),
        event('M', 'thread_name', 0, { args: { name: 'CrRendererMain' } }),
        event('X', 'RunTask', 1_000_000, { dur: 9000 }),
        event('X', 'FunctionCall', 1_001_000, { dur: 5000.5, args: { data: { url: 'app.js' } } }),
        event('B', 'Layout', 1_007_000),
        event('E', '', 1_008_500),
        event('b', 'fetch', 1_000_500, { id: '0x1', tid: 2 }),
        event('e', 'fetch', 1_020_000, { id: '0x1', tid: 3 }),
        event('C', 'counter', 1_000_000),
        event('X', 'OtherThread', 1_002_000, { dur: 100, tid: 4 }),
      ],
    }
    const report = await importFile(store, file('page.json', JSON.stringify(document)))
    expect(report).toMatchObject({ format: 'chrome', spans: 6, fromMs: atMs })
    const answer = await store.client.query({
      query: "SELECT DISTINCT TraceId FROM otel_traces WHERE ScopeName = 'chrome-trace'",
      format: 'JSONEachRow',
    })
    const [{ TraceId } = { TraceId: '' }, ...others] = await answer.json<{ TraceId: string }>()
    expect(others).toEqual([])
    const spans = await traceById(store, TraceId)
    const named = (name: string) => spans.find((span) => span.name === name)!
    expect(named('page.json')).toMatchObject({ parentSpanId: '', durationNs: 20_000_000 })
    expect(named('RunTask')).toMatchObject({
      parentSpanId: named('page.json').spanId,
      service: 'Renderer',
      attributes: { 'thread.name': 'CrRendererMain', cat: 'devtools.timeline' },
    })
    expect(named('FunctionCall')).toMatchObject({
      parentSpanId: named('RunTask').spanId,
      durationNs: 5_000_500,
      attributes: { 'args.data': '{"url":"app.js"}' },
    })
    expect(named('Layout')).toMatchObject({ parentSpanId: named('RunTask').spanId, durationNs: 1_500_000 })
    expect(named('fetch')).toMatchObject({ parentSpanId: named('page.json').spanId, durationNs: 19_500_000 })
    expect(named('OtherThread').parentSpanId).toBe(named('page.json').spanId)
  })

  test(
    'a span that comes three times in a file is one, and none when the file comes again',
    slow,
    async () => {
      const { data } = oneTrace(1)
      const three = Buffer.concat([1, 2, 3].map(() => framed(encodeTraces(data))))
      const many = file('many.pb', three)
      expect(await importFile(store, many)).toMatchObject({ spans: 3, newSpans: 1 })
      expect(await importFile(store, many)).toMatchObject({ spans: 3, newSpans: 0 })
    },
  )

  test(
    'of a file whose end is cut off the whole messages are imported, and the cut is told',
    slow,
    async () => {
      const { data } = oneTrace(2)
      const whole = framed(encodeTraces(data))
      const torn = file('torn.pb', Buffer.concat([whole, whole.subarray(0, -9)]))
      expect(await importFile(store, torn)).toMatchObject({
        format: 'otlp-protobuf',
        newSpans: 2,
        skipped: 1,
        firstSkipped: `the file is cut: its last ${whole.length - 9} bytes are a part of a message`,
      })
    },
  )

  test(
    'what the retention drops is counted; without a time, or of the future, a span is not imported',
    slow,
    async () => {
      const traceId = hex(nextTrace++, 32)
      const times = [Date.UTC(2017, 0, 1), atMs, 0, Date.now() + 40 * 86_400_000]
      const spans = times.map((ms, i) => madeSpan(ms, { traceId, spanId: hex(i + 1, 16) }))
      expect(
        await importFile(store, file('old.json', encodeTracesJson(tracesOf('old', spans)))),
      ).toMatchObject({
        spans: 2,
        spansPastRetention: 1,
        retentionDays: 30,
        skipped: 2,
        firstSkipped: 'record of traces with no time',
      })
    },
  )

  test('a file of more days than an insert takes', slow, async () => {
    const traceId = hex(nextTrace++, 32)
    const spans = Array.from({ length: 257 }, (_, i) =>
      madeSpan(atMs - i * 86_400_000, { traceId, spanId: hex(i + 1, 16) }),
    )
    const days = file('days.json', encodeTracesJson(tracesOf('days', spans)))
    expect(await importFile(store, days)).toMatchObject({ spans: 257, newSpans: 257 })
  })

  test('what is none of these is refused with the way out', slow, async () => {
    const refused: [string, string | Uint8Array, RegExp][] = [
      ['none.json', '{"a":1}', /none of the known formats/],
      ['text.txt', 'hello', /none of the known formats/],
      ['cut.json', '[{"traceId":', /not whole JSON: Unexpected end/],
      ['empty.json', '', /empty.json is empty/],
      ['blank.pb', ' \n', /blank.pb is empty/],
      ['bad-jaeger.json', '{"data":[{"traceID":"1"}]}', /as jaeger: data\[0\]/],
      ['bad.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3]), /damaged gzip/],
    ]
    for (const [name, content, message] of refused) {
      await expect(importFile(store, file(name, content))).rejects.toMatchObject({
        code: 'HS_IMPORT',
        message: expect.stringMatching(message),
      })
    }
    await expect(importFile(store, join(directory, 'nowhere'))).rejects.toMatchObject({ code: 'HS_IMPORT' })
  })
})
