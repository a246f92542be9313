import { join } from 'node:path'
import { encodeTraces } from '@hotspan/otlp'
import { describe, expect, test } from 'vitest'
import { socketClient } from '../engine/client.ts'
import { Engine } from '../engine/engine.ts'
import { currentLayout, RowTable, rowLayout } from '../schema/row-layout.ts'
import { hex, madeSpan, text, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { RowWriter } from '../transcode/row-writer.ts'
import { spanRowsFromProtobuf } from '../transcode/spans-from-protobuf.ts'
import { embeddedSink } from './row-sink.ts'

describe.skipIf(missingEngine() !== null)('the sink of the embedded engine', () => {
  test('a group inserted twice with one token is stored once, however many blocks it is read in', {
    timeout: 120_000,
  }, async () => {
    const dataDir = temporaryDirectory()
    const engine = await Engine.start({ storeDir: join(dataDir, 'store') })
    const client = socketClient(engine.socketPath, 'default')
    try {
      const sink = embeddedSink(client, dataDir)
      const baseMs = Date.now() - 60_000
      // More than the engine's block of 65,409 rows.
      const spans = Array.from({ length: 70_001 }, (_, i) =>
        madeSpan(baseMs, {
          traceId: hex(1 + (i >> 4), 32),
          spanId: hex(1 + i, 16),
          attributes: [text('http.route', `/r${i % 7}`)],
        }),
      )
      const { rows, payload } = spanRowsFromProtobuf(encodeTraces(tracesOf('shop', spans)))
      const group = {
        database: 'hotspan_default',
        layout: rowLayout(currentLayout, RowTable.Traces)!,
        rows,
        chunks: [payload],
      }
      for (const token of ['first', 'first', 'second', 'first']) await sink.insert({ ...group, token })
      const count = async (query: string) => {
        const answer = await client.query({ query, format: 'JSONEachRow' })
        return (await answer.json())[0]
      }
      expect(
        await count(
          `SELECT toFloat64(count()) AS n, toFloat64(uniqExact(SpanId)) AS spans, any(toTypeName(SpanAttributes)) AS type, toFloat64(uniqExact(HttpRoute)) AS routes
FROM hotspan_default.otel_traces`,
        ),
      ).toEqual({ n: 140_002, spans: 70_001, type: 'Map(LowCardinality(String), String)', routes: 7 })
      const lookup = `SELECT toFloat64(max(n)) AS most FROM (SELECT TraceId, count() AS n FROM hotspan_default.otel_traces_trace_id_ts GROUP BY TraceId)`
      // One row a trace and insert; a trace that two blocks share may have one more.
      expect(((await count(lookup)) as { most: number }).most).toBeLessThanOrEqual(4)
      // A journal that an older version left behind has the columns of its own layout.
      const table = 'otel_traces'
      const older = { database: 'hotspan_old', rows: 1 }
      const row = new RowWriter()
      row.string('name')
      row.string('service')
      const chunks = [row.copy()]
      const names = { table, columns: ['SpanName', 'ServiceName'] }
      const others = { table, columns: ['ServiceName', 'SpanName', 'SpanId'] }
      await sink.insert({ ...older, layout: names, chunks, token: 'a' })
      row.string('id')
      await sink.insert({ ...older, layout: others, chunks: [row.copy()], token: 'b' })
      expect(
        await count(
          `SELECT arraySort(groupArray([SpanName, ServiceName, SpanId])) AS spans FROM hotspan_old.otel_traces`,
        ),
      ).toEqual({
        spans: [
          ['name', 'service', ''],
          ['service', 'name', 'id'],
        ],
      })
    } finally {
      await client.close()
      await engine.close()
    }
  })
})
