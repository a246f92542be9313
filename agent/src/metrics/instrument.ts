import { AggregationTemporality, type KeyValue, type Metric } from '@hotspan/otlp'
import type { Attributes } from '@opentelemetry/api'
import { anyValue } from '../logs/log-value.ts'
import { HistogramSeries, NumberSeries, type Window } from './series.ts'

/** More sets of attributes than this share one series, marked `otel.metric.overflow` (metrics SDK specification). */
const MAX_SERIES = 2000

/** Bounds of a histogram that names none (metrics SDK specification). */
const DEFAULT_BOUNDS = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000]

export type InstrumentKind = 'counter' | 'up-down-counter' | 'gauge' | 'histogram'

export interface InstrumentDescription {
  readonly kind: InstrumentKind
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly isInt: boolean
  /** Bucket bounds of a histogram, ascending. */
  readonly bounds?: readonly number[] | undefined
}

/** One metric: its series by attributes. */
export class Instrument {
  readonly description: InstrumentDescription
  private readonly bounds: readonly number[]
  private readonly histograms = new Map<string, HistogramSeries>()
  private readonly numbers = new Map<string, NumberSeries>()

  constructor(description: InstrumentDescription) {
    this.description = description
    this.bounds = description.bounds ?? DEFAULT_BOUNDS
  }

  histogram(attributes: Attributes | undefined): HistogramSeries {
    return find(this.histograms, attributes, (pairs) => new HistogramSeries(pairs, this.bounds))
  }

  number(attributes: Attributes | undefined): NumberSeries {
    return find(this.numbers, attributes, (pairs) => new NumberSeries(pairs))
  }

  /** Observed values stand for this collection only. */
  forgetNumbers(): void {
    this.numbers.clear()
  }

  forgetExemplars(): void {
    for (const series of this.histograms.values()) series.forgetExemplars()
  }

  /** Undefined when nothing has been measured. */
  collect(window: Window): Metric | undefined {
    const { kind, name, description, unit, isInt } = this.description
    const head = { name, description, unit, metadata: [] }
    const temporality = AggregationTemporality.Cumulative
    if (kind === 'histogram') {
      if (this.histograms.size === 0) return undefined
      const points = [...this.histograms.values()].map((series) => series.point(window))
      return { ...head, data: { kind, points, temporality } }
    }
    if (this.numbers.size === 0) return undefined
    const points = [...this.numbers.values()].map((series) => series.point(window, isInt))
    if (kind === 'gauge') return { ...head, data: { kind, points } }
    return { ...head, data: { kind: 'sum', points, temporality, isMonotonic: kind === 'counter' } }
  }
}

function find<S>(
  series: Map<string, S>,
  attributes: Attributes | undefined,
  make: (pairs: KeyValue[]) => S,
): S {
  const key = attributes === undefined ? '' : keyOf(attributes)
  const known = series.get(key)
  if (known !== undefined) return known
  if (series.size >= MAX_SERIES) {
    const overflow = series.get('overflow')
    if (overflow !== undefined) return overflow
    const shared = make([{ key: 'otel.metric.overflow', value: true }])
    series.set('overflow', shared)
    return shared
  }
  const made = make(
    Object.entries(attributes ?? {})
      .map(([name, value]) => ({ key: name, value: anyValue(value) }))
      .filter(({ value }) => value !== null),
  )
  series.set(key, made)
  return made
}

/** Equal for equal attributes in whatever order. */
function keyOf(attributes: Attributes): string {
  const names = Object.keys(attributes)
  if (names.length === 0) return ''
  if (names.length > 1) names.sort()
  return JSON.stringify(names.map((name) => [name, attributes[name]]))
}
