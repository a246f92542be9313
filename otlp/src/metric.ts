import type { KeyValue, Resource, Scope } from './span.ts'

/** OTLP `AggregationTemporality`. */
export const AggregationTemporality = { Unspecified: 0, Delta: 1, Cumulative: 2 } as const
export type AggregationTemporality = (typeof AggregationTemporality)[keyof typeof AggregationTemporality]

/** A measured value: `bigint` is OTLP `as_int`, `number` is `as_double`, `null` was not set. */
export type NumberValue = bigint | number | null

/** One measurement behind a point, with the span that it was made in when there is one. */
export interface Exemplar {
  readonly filteredAttributes: readonly KeyValue[]
  readonly timeUnixNano: bigint
  readonly value: NumberValue
  readonly traceId: string
  readonly spanId: string
}

/** What every point has. Flag 1 says that the point holds no recorded value. */
interface Point {
  readonly attributes: readonly KeyValue[]
  readonly startTimeUnixNano: bigint
  readonly timeUnixNano: bigint
  readonly flags: number
}

/** A point of a gauge or a sum. */
export interface NumberPoint extends Point {
  readonly value: NumberValue
  readonly exemplars: readonly Exemplar[]
}

/** Sum, minimum and maximum are `null` when the sender left them out; zero is a value. */
interface DistributionPoint extends Point {
  readonly count: bigint
  readonly sum: number | null
  readonly min: number | null
  readonly max: number | null
  readonly exemplars: readonly Exemplar[]
}

/** One count more than bounds; bounds ascend, bucket i is (bound[i - 1], bound[i]]. */
export interface HistogramPoint extends DistributionPoint {
  readonly bucketCounts: readonly bigint[]
  readonly explicitBounds: readonly number[]
}

/** Counts of the buckets from index `offset` on; bucket i is (base^i, base^(i + 1)], base = 2^(2^-scale). */
export interface ExponentialBuckets {
  readonly offset: number
  readonly bucketCounts: readonly bigint[]
}

export interface ExponentialHistogramPoint extends DistributionPoint {
  readonly scale: number
  readonly zeroCount: bigint
  readonly zeroThreshold: number
  readonly positive: ExponentialBuckets
  readonly negative: ExponentialBuckets
}

export interface SummaryPoint extends Point {
  readonly count: bigint
  readonly sum: number
  readonly quantileValues: readonly { readonly quantile: number; readonly value: number }[]
}

export type MetricPoints =
  | { readonly kind: 'gauge'; readonly points: readonly NumberPoint[] }
  | {
      readonly kind: 'sum'
      readonly points: readonly NumberPoint[]
      readonly temporality: AggregationTemporality
      readonly isMonotonic: boolean
    }
  | {
      readonly kind: 'histogram'
      readonly points: readonly HistogramPoint[]
      readonly temporality: AggregationTemporality
    }
  | {
      readonly kind: 'exponentialHistogram'
      readonly points: readonly ExponentialHistogramPoint[]
      readonly temporality: AggregationTemporality
    }
  | { readonly kind: 'summary'; readonly points: readonly SummaryPoint[] }

/** One metric (opentelemetry-proto 1.10, `metrics/v1/metrics.proto`). */
export interface Metric {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly metadata: readonly KeyValue[]
  /** `null`: none was set, or one of a kind that this version does not know. */
  readonly data: MetricPoints | null
}

export interface ScopeMetrics {
  readonly scope: Scope
  readonly schemaUrl: string
  readonly metrics: readonly Metric[]
}

export interface ResourceMetrics {
  readonly resource: Resource
  readonly schemaUrl: string
  readonly scopeMetrics: readonly ScopeMetrics[]
}

/** `ExportMetricsServiceRequest`. */
export interface MetricsData {
  readonly resourceMetrics: readonly ResourceMetrics[]
}

/** Values of a later version become 0 (unspecified). */
export function knownTemporality(value: number): AggregationTemporality {
  return value === 1 || value === 2 ? value : AggregationTemporality.Unspecified
}

export const noBuckets: ExponentialBuckets = { offset: 0, bucketCounts: [] }
