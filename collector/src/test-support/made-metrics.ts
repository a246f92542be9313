import type { KeyValue, Metric, MetricsData } from '@hotspan/otlp'
import { text } from './made-spans.ts'

/** One metric of each kind with every field set, and a histogram whose optional fields are not. */
export function everyKindOfMetric(atMs: number): Metric[] {
  const timeUnixNano = BigInt(atMs) * 1_000_000n
  const point = (attributes: readonly KeyValue[] = [text('http.route', '/products')]) => ({
    attributes,
    startTimeUnixNano: timeUnixNano - 60_000_000_000n,
    timeUnixNano,
    flags: 0,
  })
  const exemplars = [
    {
      filteredAttributes: [text('user', 'seven')],
      timeUnixNano: timeUnixNano - 7n,
      value: 0.75,
      traceId: 'ab'.repeat(16),
      spanId: 'cd'.repeat(8),
    },
    { filteredAttributes: [], timeUnixNano, value: 5n, traceId: '', spanId: '' },
  ]
  const metric = (name: string, data: Metric['data']): Metric => ({
    name,
    description: `about ${name}`,
    unit: 's',
    metadata: [],
    data,
  })
  const distribution = { ...point(), count: 13n, sum: 4.5, min: -1, max: 3.5, exemplars }
  return [
    metric('pool.used', {
      kind: 'gauge',
      points: [
        { ...point(), value: -7n, exemplars },
        { ...point([]), value: 0.1, exemplars: [] },
        { ...point(), value: null, flags: 1, exemplars: [] },
      ],
    }),
    metric('http.requests', {
      kind: 'sum',
      temporality: 2,
      isMonotonic: true,
      points: [{ ...point(), value: 4711n, exemplars }],
    }),
    metric('http.server.request.duration', {
      kind: 'histogram',
      temporality: 1,
      points: [
        { ...distribution, bucketCounts: [2n, 11n, 0n], explicitBounds: [0.1, 2.5] },
        {
          ...distribution,
          exemplars: [],
          sum: null,
          min: null,
          max: null,
          bucketCounts: [],
          explicitBounds: [],
        },
      ],
    }),
    metric('http.client.request.duration', {
      kind: 'exponentialHistogram',
      temporality: 2,
      points: [
        {
          ...distribution,
          scale: -3,
          zeroCount: 2n,
          zeroThreshold: 0.001,
          positive: { offset: -5, bucketCounts: [1n, 2n ** 63n + 7n] },
          negative: { offset: 3, bucketCounts: [4n] },
        },
      ],
    }),
    metric('rpc.duration', {
      kind: 'summary',
      points: [{ ...point(), count: 5n, sum: 2.5, quantileValues: [{ quantile: 0.99, value: 1.75 }] }],
    }),
  ]
}

export function metricsOf(service: string, metrics: readonly Metric[]): MetricsData {
  return {
    resourceMetrics: [
      {
        resource: {
          attributes: [text('service.name', service), text('host.name', 'h')],
          droppedAttributesCount: 0,
        },
        schemaUrl: 'https://example.com/resource',
        scopeMetrics: [
          {
            scope: {
              name: 'meter',
              version: '1.2',
              attributes: [text('a', 'b')],
              droppedAttributesCount: 3,
            },
            schemaUrl: 'https://example.com/scope',
            metrics,
          },
        ],
      },
    ],
  }
}
