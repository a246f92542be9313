import {
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AnyValue,
  decodeExportResponse,
  decodeLogs,
  decodeLogsJson,
  decodeTraces,
  decodeTracesJson,
  encodeExportResponse,
  encodeLogs,
  encodeLogsJson,
  encodeTraces,
  encodeTracesJson,
  exportResponseFromJson,
  exportResponseToJson,
  type KeyValue,
  type LogsData,
  type Span,
  type SpanKind,
  type StatusCode,
  type TracesData,
  WireError,
} from './index.ts'

const text = fc
  .oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 60 }))
  .map((s) => s.replace(/\p{Surrogate}/gu, '\ufffd'))
const uint32 = fc.nat({ max: 0xffffffff })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'))
const orAbsent = (id: fc.Arbitrary<string>) => fc.oneof(id, fc.constant(''))

const { anyValue } = fc.letrec<{ anyValue: AnyValue; list: AnyValue[]; kvlist: { kvlist: KeyValue[] } }>(
  (tie) => ({
    anyValue: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      text,
      fc.boolean(),
      int64,
      fc.double(),
      fc.uint8Array({ maxLength: 20 }),
      fc.constant(null),
      tie('list'),
      tie('kvlist'),
    ),
    list: fc.array(tie('anyValue'), { maxLength: 4, depthIdentifier: 'v' }),
    kvlist: fc.record({
      kvlist: fc.array(fc.record({ key: text, value: tie('anyValue') }), {
        maxLength: 4,
        depthIdentifier: 'v',
      }),
    }),
  }),
)
const keyValues: fc.Arbitrary<KeyValue[]> = fc.array(fc.record({ key: text, value: anyValue }), {
  maxLength: 4,
})

const resource = fc.record({ attributes: keyValues, droppedAttributesCount: uint32 })
const scope = fc.record({ name: text, version: text, attributes: keyValues, droppedAttributesCount: uint32 })
const kind = fc.integer({ min: 0, max: 5 }) as fc.Arbitrary<SpanKind>
const statusCode = fc.integer({ min: 0, max: 2 }) as fc.Arbitrary<StatusCode>
const span: fc.Arbitrary<Span> = fc.record({
  traceId: orAbsent(hex(16)),
  spanId: orAbsent(hex(8)),
  traceState: text,
  parentSpanId: orAbsent(hex(8)),
  flags: uint32,
  name: text,
  kind,
  startTimeUnixNano: uint64,
  endTimeUnixNano: uint64,
  attributes: keyValues,
  droppedAttributesCount: uint32,
  events: fc.array(
    fc.record({ timeUnixNano: uint64, name: text, attributes: keyValues, droppedAttributesCount: uint32 }),
    { maxLength: 2 },
  ),
  droppedEventsCount: uint32,
  links: fc.array(
    fc.record({
      traceId: hex(16),
      spanId: hex(8),
      traceState: text,
      attributes: keyValues,
      droppedAttributesCount: uint32,
      flags: uint32,
    }),
    { maxLength: 2 },
  ),
  droppedLinksCount: uint32,
  status: fc.record({ code: statusCode, message: text }),
})
const some = { maxLength: 3 }
const traces: fc.Arbitrary<TracesData> = fc.record({
  resourceSpans: fc.array(
    fc.record({
      resource,
      schemaUrl: text,
      scopeSpans: fc.array(fc.record({ scope, schemaUrl: text, spans: fc.array(span, some) }), some),
    }),
    some,
  ),
})
const logRecord = fc.record({
  timeUnixNano: uint64,
  observedTimeUnixNano: uint64,
  severityNumber: fc.integer({ min: 0, max: 24 }),
  severityText: text,
  body: anyValue,
  attributes: keyValues,
  droppedAttributesCount: uint32,
  flags: uint32,
  traceId: orAbsent(hex(16)),
  spanId: orAbsent(hex(8)),
  eventName: text,
})
const logs: fc.Arbitrary<LogsData> = fc.record({
  resourceLogs: fc.array(
    fc.record({
      resource,
      schemaUrl: text,
      scopeLogs: fc.array(fc.record({ scope, schemaUrl: text, logRecords: fc.array(logRecord, some) }), some),
    }),
    some,
  ),
})

describe('round trips', () => {
  test('traces through protobuf and JSON', () => {
    fc.assert(
      fc.property(traces, (data) => {
        expect(decodeTraces(encodeTraces(data))).toEqual(data)
        expect(decodeTracesJson(encodeTracesJson(data))).toEqual(data)
      }),
    )
  })

  test('logs through protobuf and JSON', () => {
    fc.assert(
      fc.property(logs, (data) => {
        expect(decodeLogs(encodeLogs(data))).toEqual(data)
        expect(decodeLogsJson(new TextEncoder().encode(encodeLogsJson(data)))).toEqual(data)
      }),
    )
  })

  test('partial success and responses', () => {
    fc.assert(
      fc.property(fc.nat(), text, (rejected, errorMessage) => {
        const partial = rejected === 0 && errorMessage === '' ? null : { rejected, errorMessage }
        expect(decodeExportResponse(encodeExportResponse(partial))).toEqual(partial)
        for (const signal of ['traces', 'logs', 'metrics'] as const) {
          const json = JSON.parse(JSON.stringify(exportResponseToJson(signal, partial)))
          expect(exportResponseFromJson(signal, json)).toEqual(partial)
        }
      }),
    )
    expect(encodeExportResponse(null).length).toBe(0)
  })
})

describe('hostile bytes', () => {
  const failsOnlyAsWireError = (read: () => unknown) => {
    try {
      read()
    } catch (error) {
      expect(error).toBeInstanceOf(WireError)
    }
  }

  test('every truncation of a body is read or refused with a WireError', () => {
    fc.assert(
      fc.property(traces, logs, fc.double({ min: 0, max: 1, noNaN: true }), (data, logData, share) => {
        const bytes = encodeTraces(data)
        failsOnlyAsWireError(() => decodeTraces(bytes.subarray(0, Math.floor(bytes.length * share))))
        const logBytes = encodeLogs(logData)
        failsOnlyAsWireError(() => decodeLogs(logBytes.subarray(0, Math.floor(logBytes.length * share))))
      }),
    )
  })

  test('random bytes and flipped bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        traces,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 5 }),
        (noise, data, flips) => {
          failsOnlyAsWireError(() => decodeTraces(noise))
          failsOnlyAsWireError(() => decodeLogs(noise))
          const bytes = encodeTraces(data)
          for (const [at, value] of flips) bytes[at % Math.max(1, bytes.length)] = value
          failsOnlyAsWireError(() => decodeTraces(bytes))
        },
      ),
      { numRuns: 500 },
    )
  })

  test('limits: depth, records and values', () => {
    let deep: AnyValue = 1n
    for (let i = 0; i < 300; i++) deep = [deep]
    const withValue = (value: AnyValue): TracesData => ({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'k', value }], droppedAttributesCount: 0 },
          schemaUrl: '',
          scopeSpans: [],
        },
      ],
    })
    expect(() => decodeTraces(encodeTraces(withValue(deep)))).toThrow(WireError)
    expect(() => decodeTraces(encodeTraces(withValue([1n, 2n, 3n])), { maxValues: 3 })).toThrow(
      /more than 3 attribute values/,
    )
    expect(() => decodeTracesJson(encodeTracesJson(withValue([1n, 2n, 3n])), { maxValues: 3 })).toThrow(
      /more than 3 attribute values/,
    )
  })

  test('unknown fields are skipped, groups included, and the last of a repeated scalar wins', () => {
    const [known] = fc.sample(span, 1)
    const bytes = encodeTraces({
      resourceSpans: [
        {
          resource: { attributes: [], droppedAttributesCount: 0 },
          schemaUrl: 'a',
          scopeSpans: [
            {
              scope: { name: '', version: '', attributes: [], droppedAttributesCount: 0 },
              schemaUrl: '',
              spans: [known!],
            },
          ],
        },
      ],
    })
    const unknown = [0x9a, 0x06, 0x02, 1, 2, 0x9b, 0x06, 0x08, 0x01, 0x9c, 0x06]
    expect(decodeTraces(Uint8Array.from([...unknown, ...bytes, ...unknown]))).toEqual(decodeTraces(bytes))
    expect(
      decodeTraces(Uint8Array.from([0x0a, 6, 0x1a, 1, 0x41, 0x1a, 1, 0x42])).resourceSpans[0]!.schemaUrl,
    ).toBe('B')
  })

  test('ids of a wrong length are refused with a reason', () => {
    expect(() => decodeTraces(Uint8Array.from([0x0a, 8, 0x12, 6, 0x12, 4, 0x0a, 2, 1, 2]))).toThrow(
      /id of 2 bytes, expected 16/,
    )
    const [known] = fc.sample(span, 1)
    const data: TracesData = {
      resourceSpans: [
        {
          resource: { attributes: [], droppedAttributesCount: 0 },
          schemaUrl: '',
          scopeSpans: [
            {
              scope: { name: '', version: '', attributes: [], droppedAttributesCount: 0 },
              schemaUrl: '',
              spans: [{ ...known!, traceId: 'xyz' }],
            },
          ],
        },
      ],
    }
    expect(() => encodeTraces(data)).toThrow(TypeError)
  })
})

/** Values as an SDK user gives them, and what OpenTelemetry makes of them: whole numbers are int, others double. */
const sdkValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    text,
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noDefaultInfinity: true, noNaN: true }).filter((n) => !Number.isInteger(n)),
    fc.uint8Array({ maxLength: 12 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
})).value
const sdkAttributes = fc.dictionary(text, sdkValue, { maxKeys: 4 })

function modelOf(value: unknown): AnyValue {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value as AnyValue
  return Array.isArray(value) ? value.map(modelOf) : { kvlist: modelsOf(value) }
}
const modelsOf = (attributes: object): KeyValue[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: modelOf(value) }))

const hrTime = fc.tuple(fc.nat({ max: 4_000_000_000 }), fc.nat({ max: 999_999_999 }))
const nanos = ([seconds, rest]: [number, number]) => BigInt(seconds) * 1_000_000_000n + BigInt(rest)
const context = fc.record({
  traceId: hex(16),
  spanId: hex(8),
  traceFlags: fc.nat({ max: 255 }),
  isRemote: fc.boolean(),
})
const flagsOf = (traceFlags: number, isRemote: boolean | undefined) =>
  traceFlags | 0x100 | (isRemote ? 0x200 : 0)

describe('against @opentelemetry/otlp-transformer', () => {
  test('what its two trace serializers write, both decoders read', () => {
    const sdkSpan = fc.record({
      context,
      parent: fc.option(context, { nil: undefined }),
      name: text,
      kind: fc.integer({ min: 0, max: 4 }),
      startTime: hrTime,
      endTime: hrTime,
      attributes: sdkAttributes,
      events: fc.array(
        fc.record({ name: text, time: hrTime, attributes: sdkAttributes, droppedAttributesCount: uint32 }),
        { maxLength: 2 },
      ),
      links: fc.array(fc.record({ context, attributes: sdkAttributes, droppedAttributesCount: uint32 }), {
        maxLength: 2,
      }),
      status: fc.record({ code: statusCode, message: text }),
      dropped: uint32,
    })
    fc.assert(
      fc.property(
        fc.array(sdkSpan, { minLength: 1, maxLength: 3 }),
        sdkAttributes,
        text,
        (generated, resourceAttributes, scopeName) => {
          const resource = { attributes: resourceAttributes }
          const instrumentationScope = {
            name: scopeName,
            version: '1.2.3',
            schemaUrl: 'https://example.com/schema',
          }
          const spans = generated.map((s) => ({
            ...s,
            resource,
            instrumentationScope,
            spanContext: () => s.context,
            parentSpanContext: s.parent,
            droppedAttributesCount: s.dropped,
            droppedEventsCount: s.dropped,
            droppedLinksCount: s.dropped,
            duration: [0, 0],
            ended: true,
          })) as unknown as Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0]
          const expected: TracesData = {
            resourceSpans: [
              {
                resource: { attributes: modelsOf(resourceAttributes), droppedAttributesCount: 0 },
                schemaUrl: '',
                scopeSpans: [
                  {
                    scope: { name: scopeName, version: '1.2.3', attributes: [], droppedAttributesCount: 0 },
                    schemaUrl: 'https://example.com/schema',
                    spans: generated.map((s) => ({
                      traceId: s.context.traceId,
                      spanId: s.context.spanId,
                      traceState: '',
                      parentSpanId: s.parent?.spanId ?? '',
                      flags: flagsOf(s.context.traceFlags, s.parent?.isRemote),
                      name: s.name,
                      kind: (s.kind + 1) as SpanKind,
                      startTimeUnixNano: nanos(s.startTime),
                      endTimeUnixNano: nanos(s.endTime),
                      attributes: modelsOf(s.attributes),
                      droppedAttributesCount: s.dropped,
                      events: s.events.map((event) => ({
                        timeUnixNano: nanos(event.time),
                        name: event.name,
                        attributes: modelsOf(event.attributes),
                        droppedAttributesCount: event.droppedAttributesCount,
                      })),
                      droppedEventsCount: s.dropped,
                      links: s.links.map((link) => ({
                        traceId: link.context.traceId,
                        spanId: link.context.spanId,
                        traceState: '',
                        attributes: modelsOf(link.attributes),
                        droppedAttributesCount: link.droppedAttributesCount,
                        flags: flagsOf(link.context.traceFlags, link.context.isRemote),
                      })),
                      droppedLinksCount: s.dropped,
                      status: s.status,
                    })),
                  },
                ],
              },
            ],
          }
          expect(decodeTraces(ProtobufTraceSerializer.serializeRequest(spans)!)).toEqual(expected)
          expect(decodeTracesJson(JsonTraceSerializer.serializeRequest(spans)!)).toEqual(expected)
        },
      ),
    )
  })

  test('what its two log serializers write, both decoders read', () => {
    const sdkLog = fc.record({
      hrTime,
      hrTimeObserved: hrTime,
      severityNumber: fc.integer({ min: 1, max: 24 }),
      severityText: text,
      body: sdkValue,
      eventName: text,
      attributes: sdkAttributes,
      droppedAttributesCount: uint32,
      spanContext: context,
    })
    fc.assert(
      fc.property(fc.array(sdkLog, { minLength: 1, maxLength: 3 }), (generated) => {
        const resource = { attributes: { 'service.name': 'shop' } }
        const instrumentationScope = { name: 's' }
        const records = generated.map((log) => ({
          ...log,
          resource,
          instrumentationScope,
        })) as unknown as Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0]
        const expected = generated.map((log) => ({
          timeUnixNano: nanos(log.hrTime),
          observedTimeUnixNano: nanos(log.hrTimeObserved),
          severityNumber: log.severityNumber,
          severityText: log.severityText,
          body: modelOf(log.body),
          attributes: modelsOf(log.attributes),
          droppedAttributesCount: log.droppedAttributesCount,
          flags: log.spanContext.traceFlags,
          traceId: log.spanContext.traceId,
          spanId: log.spanContext.spanId,
          eventName: log.eventName,
        }))
        expect(
          decodeLogs(ProtobufLogsSerializer.serializeRequest(records)!).resourceLogs[0]!.scopeLogs[0]!
            .logRecords,
        ).toEqual(expected)
        expect(
          decodeLogsJson(JsonLogsSerializer.serializeRequest(records)!).resourceLogs[0]!.scopeLogs[0]!
            .logRecords,
        ).toEqual(expected)
      }),
    )
  })

  test('it reads our responses', () => {
    const partial = { rejected: 7, errorMessage: 'seven spans had no trace id' }
    expect(ProtobufTraceSerializer.deserializeResponse(encodeExportResponse(partial))).toEqual({
      partialSuccess: { rejectedSpans: 7, errorMessage: partial.errorMessage },
    })
    expect(ProtobufLogsSerializer.deserializeResponse(encodeExportResponse(partial))).toEqual({
      partialSuccess: { rejectedLogRecords: 7, errorMessage: partial.errorMessage },
    })
    const json = new TextEncoder().encode(JSON.stringify(exportResponseToJson('traces', partial)))
    expect(JsonTraceSerializer.deserializeResponse(json).partialSuccess?.errorMessage).toBe(
      partial.errorMessage,
    )
  })
})
