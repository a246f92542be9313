import { decodeTraces } from '@hotspan/otlp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createCollector } from '../collector.ts'
import { traceById } from '../queries/trace-by-id.ts'
import { recordedSenders } from '../test-support/recorded-senders.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'

describe.skipIf(missingEngine() !== null)('bodies of SDKs in other languages', () => {
  test('Go, Java and Python: every span, attribute, event and link arrives', {
    timeout: 120_000,
  }, async () => {
    // Recorded on a day that may be long ago.
    const collector = await createCollector({
      dataDir: temporaryDirectory(),
      otlpHttpPort: 0,
      pagePort: 0,
      retentionDays: 0,
    })
    onTestFinished(() => collector.close())
    for (const [language, base64] of Object.entries(recordedSenders)) {
      const body = Buffer.from(base64, 'base64')
      const answer = await fetch(`${collector.otlpUrl}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body,
      })
      expect(answer.status, language).toBe(200)
      await collector.flush()
      const sent = decodeTraces(body).resourceSpans.flatMap(({ scopeSpans }) =>
        scopeSpans.flatMap(({ spans }) => spans),
      )
      const stored = await traceById(collector.store, sent[0]!.traceId)
      expect(stored, language).toHaveLength(2)
      const [parent, child] = stored
      expect(parent, language).toMatchObject({
        name: 'GET /products/:id',
        kind: 'server',
        parentSpanId: '',
        statusCode: 'error',
        statusMessage: 'no stock',
        scopeName: 'sender',
        resource: {
          'service.name': `shop-${language === 'python' ? 'py' : language}`,
          'service.version': '1.0.0',
        },
        attributes: {
          'http.route': '/products/:id',
          'http.response.status_code': '500',
          tags: '["a","b"]',
          cached: 'true',
          ratio: '0.25',
        },
        events: [{ name: 'exception', attributes: { 'exception.message': 'no stock – ausverkauft' } }],
      })
      expect(child, language).toMatchObject({
        name: 'SELECT products',
        kind: 'client',
        parentSpanId: parent!.spanId,
        attributes: {
          'db.system.name': 'postgresql',
          'db.query.text': 'SELECT * FROM products WHERE id = $1',
        },
        links: [{ traceId: parent!.traceId, spanId: parent!.spanId, attributes: { why: 'test' } }],
      })
      for (const span of sent) {
        const kept = stored.find(({ spanId }) => spanId === span.spanId)!
        expect(kept.startNs).toBe(span.startTimeUnixNano)
        expect(BigInt(kept.durationNs)).toBe(span.endTimeUnixNano - span.startTimeUnixNano)
      }
    }
  })
})
