import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeLogsJson,
  decodeRpcStatus,
  decodeTracesJson,
  encodeRpcStatus,
  OtlpJsonError,
  RpcCode,
  rpcStatusFromJson,
  rpcStatusToJson,
  WireError,
} from './index.ts'

const bodyWith = (span: Record<string, unknown>) =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
const read = (span: Record<string, unknown>) =>
  decodeTracesJson(bodyWith(span)).resourceSpans[0]!.scopeSpans[0]!.spans[0]!
const attribute = (value: unknown) => read({ attributes: [{ key: 'k', value }] }).attributes[0]!.value

function refusal(read: () => unknown): OtlpJsonError {
  try {
    read()
  } catch (error) {
    expect(error).toBeInstanceOf(OtlpJsonError)
    return error as OtlpJsonError
  }
  throw new Error('was accepted')
}

describe("OTLP's JSON rules", () => {
  test('ids are hex of either case, never base64', () => {
    expect(read({ traceId: '5B8EFFF798038103D269B633813FC60C' }).traceId).toBe(
      '5b8efff798038103d269b633813fc60c',
    )
    const error = refusal(() => read({ traceId: 'W47/95gDgQPSabYzgT/GDA==' }))
    expect(error.path).toBe('resourceSpans[0].scopeSpans[0].spans[0].traceId')
    expect(error.message).toContain('32 hex digits')
    refusal(() => read({ spanId: 'eee19b7ec3c1b1' }))
  })

  test('64-bit integers as strings or numbers, within their range', () => {
    expect(read({ startTimeUnixNano: '1700000000123456789' }).startTimeUnixNano).toBe(1700000000123456789n)
    expect(read({ startTimeUnixNano: 1000 }).startTimeUnixNano).toBe(1000n)
    expect(attribute({ intValue: '-9223372036854775808' })).toBe(-(2n ** 63n))
    expect(attribute({ intValue: -5 })).toBe(-5n)
    for (const bad of ['-1', -1, 1.5, '1.5', '', 'ten', true, '18446744073709551616', {}]) {
      expect(refusal(() => read({ endTimeUnixNano: bad })).path).toMatch(/spans\[0\]\.endTimeUnixNano$/)
    }
    expect(refusal(() => attribute({ intValue: '9223372036854775808' })).path).toMatch(
      /attributes\[0\]\.value\.intValue$/,
    )
  })

  test('enums are integers; names are refused; unknown numbers become unspecified', () => {
    expect(read({ kind: 3, status: { code: 2 } })).toMatchObject({ kind: 3, status: { code: 2 } })
    expect(read({ kind: 99, status: { code: -7 } })).toMatchObject({ kind: 0, status: { code: 0 } })
    expect(refusal(() => read({ kind: 'SPAN_KIND_SERVER' })).expected).toBe('an enum as integer')
  })

  test('only lowerCamelCase keys count; unknown fields and nulls are ignored', () => {
    expect(
      read({
        trace_id: 'zz',
        name: 'a',
        novelty: [{ deep: 1 }],
        parentSpanId: null,
        attributes: null,
        status: null,
      }),
    ).toMatchObject({
      traceId: '',
      name: 'a',
      parentSpanId: '',
      attributes: [],
    })
    expect(decodeTracesJson('{}').resourceSpans).toEqual([])
    expect(decodeTracesJson('{"resource_spans":[{}]}').resourceSpans).toEqual([])
  })

  test('values: doubles by name, bytes in both base64 alphabets, nesting', () => {
    expect(attribute({ doubleValue: 'NaN' })).toBeNaN()
    expect(attribute({ doubleValue: '-Infinity' })).toBe(Number.NEGATIVE_INFINITY)
    expect(attribute({ doubleValue: '1e3' })).toBe(1000)
    expect(attribute({ bytesValue: '+/8=' })).toEqual(Uint8Array.of(0xfb, 0xff))
    expect(attribute({ bytesValue: '-_8' })).toEqual(Uint8Array.of(0xfb, 0xff))
    expect(
      attribute({
        kvlistValue: {
          values: [{ key: 'a', value: { arrayValue: { values: [{}, { boolValue: false }] } } }],
        },
      }),
    ).toEqual({
      kvlist: [{ key: 'a', value: [null, false] }],
    })
    for (const bad of [
      { boolValue: 'true' },
      { stringValue: 5 },
      { bytesValue: '@@@' },
      { doubleValue: 'x' },
      { arrayValue: { values: {} } },
    ]) {
      refusal(() => attribute(bad))
    }
  })

  test('a body that is no JSON, or another JSON, names what was expected', () => {
    expect(refusal(() => decodeTracesJson('{"resourceSpans":[')).message).toMatch(
      /^OTLP\/JSON: the body is not JSON \(Unexpected end of JSON input\); expected valid JSON$/,
    )
    expect(refusal(() => decodeTracesJson('{"resourceSpans":[{"a"}]}')).message).toMatch(/ at position 22/)
    for (const body of ['', ' \n'])
      expect(refusal(() => decodeTracesJson(body)).message).toBe(
        'OTLP/JSON: the body is empty; expected a JSON object',
      )
    for (const body of ['[]', '5', 'null', '"text"', '']) refusal(() => decodeLogsJson(body))
    expect(refusal(() => decodeTracesJson('{"resourceSpans":{}}')).path).toBe('resourceSpans')
    expect(refusal(() => decodeTracesJson('{"resourceSpans":[7]}')).path).toBe('resourceSpans[0]')
  })

  test('very deep JSON is refused, not a stack overflow', () => {
    const depth = 20_000
    const body = `{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":${'{"arrayValue":{"values":['.repeat(depth)}${']}}'.repeat(depth)}}]}}]}`
    refusal(() => decodeTracesJson(body))
  })

  test('any JSON at all is read or refused with an OtlpJsonError of bounded length', () => {
    const keys = fc.constantFrom(
      'resourceSpans',
      'scopeSpans',
      'spans',
      'resource',
      'attributes',
      'key',
      'value',
      'kind',
      'traceId',
      'name',
      'events',
      'status',
      'intValue',
      'arrayValue',
      'values',
      '__proto__',
    )
    const { any } = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { depthSize: 'medium' },
        fc.jsonValue(),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(keys, tie('any'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(any, (value) => {
        try {
          decodeTracesJson(JSON.stringify({ resourceSpans: value }))
        } catch (error) {
          expect(error).toBeInstanceOf(OtlpJsonError)
          expect((error as Error).message.length).toBeLessThan(600)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('google.rpc.Status', () => {
  const status = {
    code: RpcCode.InvalidArgument,
    message: 'the body is not a trace request',
    fieldViolations: [
      { field: 'resourceSpans[0].scopeSpans[0].spans[3].kind', description: 'expected an enum as integer' },
    ],
  }

  test('both encodings round trip', () => {
    expect(decodeRpcStatus(encodeRpcStatus(status))).toEqual(status)
    expect(rpcStatusFromJson(JSON.parse(JSON.stringify(rpcStatusToJson(status))))).toEqual(status)
    expect(decodeRpcStatus(encodeRpcStatus({ code: 14, message: '' }))).toEqual({ code: 14, message: '' })
    expect(rpcStatusFromJson(null)).toEqual({ code: 0, message: '' })
  })

  test('garbage is refused with a WireError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeRpcStatus(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
    )
  })
})
