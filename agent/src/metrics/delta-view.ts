import {
  AggregationTemporality,
  type HistogramPoint,
  type KeyValue,
  type Metric,
  type NumberPoint,
  type NumberValue,
  type ScopeMetrics,
} from '@hotspan/otlp'

type Point = HistogramPoint | NumberPoint

/**
 * Cumulative collections told as what has come since the one before, for back ends that want it so
 * (`OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE`, OTLP exporter specification). Only the OTLP exporter looks through it:
 * a Prometheus endpoint beside it stays cumulative. Histograms lose their minimum and maximum, which have no difference.
 */
export class DeltaView {
  private readonly isDelta: (scope: string, metric: Metric) => boolean
  private before = new Map<string, Point>()
  private told = new Map<string, Point>()

  /** `isDelta` is asked of histograms and monotonic sums; all else is never a difference. */
  constructor(isDelta: (scope: string, metric: Metric) => boolean) {
    this.isDelta = isDelta
  }

  /** `hasLeft`: what was told the last time is on its way; otherwise this time tells it again, with what has come since. */
  since(collected: readonly ScopeMetrics[], hasLeft: boolean): ScopeMetrics[] {
    if (hasLeft) this.before = this.told
    const told = new Map<string, Point>()
    const view = collected.map(({ scope, schemaUrl, metrics }) => ({
      scope,
      schemaUrl,
      metrics: metrics
        .map((metric) => {
          const prefix = JSON.stringify([scope.name, scope.version, metric.name])
          return this.isDelta(scope.name, metric) ? this.differences(metric, prefix, told) : metric
        })
        .filter(({ data }) => data === null || data.points.length > 0),
    }))
    this.told = told
    return view.filter(({ metrics }) => metrics.length > 0)
  }

  private differences(metric: Metric, prefix: string, told: Map<string, Point>): Metric {
    const { data } = metric
    const earlier = <P extends Point>(point: P): P | undefined => {
      const key = prefix + keyOf(point.attributes)
      told.set(key, point)
      return this.before.get(key) as P | undefined
    }
    const temporality = AggregationTemporality.Delta
    if (data?.kind === 'histogram') {
      const points = data.points.map((point) => histogramSince(point, earlier(point)))
      return { ...metric, data: { ...data, temporality, points: points.filter(({ count }) => count > 0n) } }
    }
    if (data?.kind === 'sum' && data.isMonotonic) {
      const points = data.points.map((point) => numberSince(point, earlier(point)))
      return {
        ...metric,
        data: { ...data, temporality, points: points.filter(({ value }) => value !== 0 && value !== 0n) },
      }
    }
    return metric
  }
}

/** Series keep the order of their attributes. */
const keyOf = (attributes: readonly KeyValue[]): string =>
  JSON.stringify(attributes, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value))

function histogramSince(point: HistogramPoint, before: HistogramPoint | undefined): HistogramPoint {
  if (before === undefined) return point
  return {
    ...point,
    startTimeUnixNano: before.timeUnixNano,
    count: point.count - before.count,
    sum: point.sum === null || before.sum === null ? null : point.sum - before.sum,
    min: null,
    max: null,
    bucketCounts: point.bucketCounts.map((count, i) => count - (before.bucketCounts[i] ?? 0n)),
  }
}

function numberSince(point: NumberPoint, before: NumberPoint | undefined): NumberPoint {
  if (before === undefined) return point
  const startTimeUnixNano = before.timeUnixNano
  // What an observer counts may have begun again.
  const value =
    Number(point.value) < Number(before.value) ? point.value : difference(point.value, before.value)
  return { ...point, startTimeUnixNano, value }
}

const difference = (value: NumberValue, before: NumberValue): NumberValue =>
  typeof value === 'bigint' && typeof before === 'bigint' ? value - before : Number(value) - Number(before)
