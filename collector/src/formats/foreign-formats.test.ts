import type { TracesData } from '@hotspan/otlp'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { spanRowsFromObjects } from '../transcode/spans-from-objects.ts'
import { tracesOfChrome } from './chrome-trace.ts'
import { ForeignFormatError } from './foreign-trace.ts'
import { tracesOfJaeger } from './jaeger-json.ts'
import { decodeZipkinJson } from './zipkin-json.ts'

const us = 1_700_000_000_000_000
const zipkin = [
  {
    traceId: 'ab'.repeat(8),
    id: 'cd'.repeat(8),
    parentId: 'ef'.repeat(8),
    shared: true,
    kind: 'SERVER',
    name: 'a',
    timestamp: us,
    duration: 5,
    localEndpoint: { serviceName: 's', ipv4: '127.0.0.1', port: 80 },
    remoteEndpoint: { serviceName: 't', ipv6: '::1' },
    annotations: [{ timestamp: us, value: 'sr' }],
    tags: { error: '', 'http.route': '/x' },
  },
]
const jaeger = {
  data: [
    {
      traceID: 'ab',
      spans: [
        {
          traceID: 'ab',
          spanID: 'cd',
          operationName: 'a',
          references: [{ refType: 'CHILD_OF', traceID: 'ab', spanID: 'ef' }],
          startTime: us,
          duration: 7,
          tags: [{ key: 'n', type: 'int64', value: '12' }],
          logs: [{ timestamp: us, fields: [{ key: 'event', type: 'string', value: 'e' }] }],
          processID: 'p1',
        },
      ],
      processes: { p1: { serviceName: 's', tags: [] } },
    },
  ],
}
const chrome = {
  metadata: { startTime: '2026-01-01T00:00:00Z' },
  traceEvents: [
    { ph: 'M', name: 'process_name', pid: 1, args: { name: 'p' } },
    { ph: 'X', name: 'a', ts: 1, dur: 2.5, pid: 1, tid: 1, cat: 'c', args: { x: 1 } },
    { ph: 'B', name: 'b', ts: 2, pid: 1, tid: 1 },
    { ph: 'E', ts: 3, pid: 1, tid: 1 },
    { ph: 'b', id: '1', cat: 'c', name: 'n', ts: 4, pid: 1 },
    { ph: 'e', id2: { local: '1' }, cat: 'c', ts: 5, pid: 1 },
  ],
}

const readers: [string, object, (document: unknown) => TracesData][] = [
  ['zipkin', zipkin, (document) => decodeZipkinJson(JSON.stringify(document) ?? '')],
  ['jaeger', jaeger, tracesOfJaeger],
  ['chrome', chrome, (document) => tracesOfChrome(document, { name: 'f', endMs: us / 1000 })],
]

/** One place in a copy of the document is another value. */
function changed(document: unknown, path: readonly number[], value: unknown): unknown {
  if (path.length === 0 || typeof document !== 'object' || document === null) return value
  const keys = Object.keys(document)
  if (keys.length === 0) return value
  const key = keys[path[0]! % keys.length]!
  const copy = (Array.isArray(document) ? [...document] : { ...document }) as Record<string, unknown>
  copy[key] = changed(copy[key], path.slice(1), value)
  return copy
}

describe.each(readers)('%s', (_name, document, read) => {
  test('its own document has spans', () => {
    expect(spanRowsFromObjects(read(document)).rows).toBeGreaterThan(0)
  })

  test('whatever stands in it: rows, or an error that says what is wrong', () => {
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(-1, 1e300, 0.5, '', '__proto__', 'x'.repeat(40), [], {}, null, [null], { toString: 1 }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.array(fc.nat(20), { maxLength: 7 }), odd), { minLength: 1, maxLength: 3 }),
        (changes) => {
          const other = changes.reduce<unknown>((at, [path, value]) => changed(at, path, value), document)
          try {
            spanRowsFromObjects(read(other))
          } catch (error) {
            expect(error).toBeInstanceOf(ForeignFormatError)
            expect((error as Error).message).not.toBe('')
          }
        },
      ),
      { numRuns: 5000 },
    )
  })
})
