import type { StoredSpan } from '@hotspan/collector'

let counter = 0

/** A span for a unit test: ms in, everything else has a default. */
export function testSpan(
  spanId: string,
  parentSpanId: string,
  startMs: number,
  durationMs: number,
  more: Partial<StoredSpan> = {},
): StoredSpan {
  counter += 1
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId,
    parentSpanId,
    traceState: '',
    name: spanId,
    kind: 'internal',
    service: 'api',
    startNs: 1_700_000_000_000_000_000n + BigInt(Math.round(startMs * 1e6)),
    durationNs: Math.round(durationMs * 1e6),
    statusCode: 'unset',
    statusMessage: '',
    attributes: {},
    resource: {},
    scopeName: `test-${counter}`,
    events: [],
    links: [],
    weight: 1,
    weightKnown: true,
    ...more,
  }
}
