import type {
  AnyValue,
  Exemplar,
  HistogramPoint,
  KeyValue,
  Metric,
  NumberPoint,
  ScopeMetrics,
} from '@hotspan/otlp'

/** Text format of Prometheus 0.0.4, or OpenMetrics 1.0, which has exemplars. */
export type PrometheusFormat = 'text' | 'openmetrics'

/** UCUM units to Prometheus's words (OpenTelemetry, Prometheus compatibility). */
const UNITS: Readonly<Record<string, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  min: 'minutes',
  h: 'hours',
  d: 'days',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
}

interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly unit: string
  readonly lines: string[]
}

/** What a scrape answers: the resource as `target_info`, then every metric with its scope as labels. */
export function prometheusText(
  resource: readonly KeyValue[],
  scopes: readonly ScopeMetrics[],
  format: PrometheusFormat,
): string {
  const families = new Map<string, Family>()
  for (const { scope, metrics } of scopes) {
    const scopeLabels = [label('otel_scope_name', scope.name), label('otel_scope_version', scope.version)]
    for (const metric of metrics) addMetric(families, metric, scopeLabels, format)
  }
  let text = ''
  const infoName = format === 'openmetrics' ? 'target' : 'target_info'
  text += `# TYPE ${infoName} ${format === 'openmetrics' ? 'info' : 'gauge'}\n# HELP ${infoName} Target metadata\n`
  text += `target_info{${labelsOf(resource).join(',')}} 1\n`
  for (const { name, type, help, unit, lines } of families.values()) {
    const head = type === 'counter' && format === 'text' ? `${name}_total` : name
    text += `# TYPE ${head} ${type}\n`
    if (format === 'openmetrics' && unit !== '' && name.endsWith(`_${unit}`))
      text += `# UNIT ${head} ${unit}\n`
    text += `# HELP ${head} ${escapeHelp(help, format)}\n${lines.join('')}`
  }
  return format === 'openmetrics' ? `${text}# EOF\n` : text
}

function addMetric(
  families: Map<string, Family>,
  metric: Metric,
  scopeLabels: readonly string[],
  format: PrometheusFormat,
): void {
  const { data } = metric
  if (data === null || data.kind === 'summary' || data.kind === 'exponentialHistogram') return
  const isCounter = data.kind === 'sum' && data.isMonotonic
  const type = data.kind === 'histogram' ? 'histogram' : isCounter ? 'counter' : 'gauge'
  const unit = unitWord(metric.unit, type)
  const name = familyName(metric.name, unit, type)
  const known = families.get(name)
  // One name with two types would make the whole answer invalid: the first wins.
  if (known !== undefined && known.type !== type) return
  const family = known ?? { name, type, help: metric.description, unit, lines: [] }
  families.set(name, family)
  for (const point of data.points) {
    const labels = [...labelsOf(point.attributes), ...scopeLabels]
    family.lines.push(
      'explicitBounds' in point
        ? histogramLines(name, labels, point, format)
        : `${name}${isCounter ? '_total' : ''}{${labels.join(',')}} ${numberText(numberOf(point))}\n`,
    )
  }
}

function histogramLines(
  name: string,
  labels: readonly string[],
  point: HistogramPoint,
  format: PrometheusFormat,
): string {
  let text = ''
  let cumulative = 0n
  const { bucketCounts, explicitBounds, exemplars } = point
  for (const [i, count] of bucketCounts.entries()) {
    cumulative += count
    const bound = explicitBounds[i]
    const above = i === 0 ? Number.NEGATIVE_INFINITY : explicitBounds[i - 1]!
    const exemplar = exemplars.find(
      ({ value }) => Number(value) > above && (bound === undefined || Number(value) <= bound),
    )
    const le = bound === undefined ? '+Inf' : numberText(bound)
    text += `${name}_bucket{${[...labels, `le="${le}"`].join(',')}} ${cumulative}`
    if (format === 'openmetrics' && exemplar !== undefined) text += exemplarText(exemplar)
    text += '\n'
  }
  const all = labels.join(',')
  return `${text}${name}_sum{${all}} ${numberText(point.sum ?? 0)}\n${name}_count{${all}} ${point.count}\n`
}

const exemplarText = ({ traceId, spanId, value, timeUnixNano }: Exemplar): string =>
  ` # {trace_id="${traceId}",span_id="${spanId}"} ${numberText(Number(value))} ${Number(timeUnixNano / 1_000_000n) / 1000}`

const numberOf = (point: NumberPoint): number => Number(point.value ?? 0)

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return Number.isNaN(value) ? 'NaN' : String(value)
}

/** `{request}` is no unit, `1` of a gauge is a ratio, `By/s` is bytes per second. */
function unitWord(unit: string, type: string): string {
  if (unit === '1') return type === 'gauge' ? 'ratio' : ''
  const plain = unit.replaceAll(/\{[^}]*\}/g, '')
  if (plain === '') return ''
  const [top, per] = plain.split('/')
  const word = top === undefined || top === '' ? '' : (UNITS[top] ?? top)
  const whole =
    per === undefined || per === '' ? word : `${word}_per_${(UNITS[per] ?? per).replace(/s$/, '')}`
  return whole.replaceAll(/[^a-zA-Z0-9_]/g, '_').replace(/^_+|_+$/g, '')
}

/** Letters, digits and single underscores; the unit at the end, `_total` apart. */
function familyName(metric: string, unit: string, type: string): string {
  let name = metric.replaceAll(/[^a-zA-Z0-9_:]/g, '_').replaceAll(/_{2,}/g, '_')
  if (/^[0-9]/.test(name)) name = `_${name}`
  if (type === 'counter') name = name.replace(/_total$/, '')
  return unit === '' || name.endsWith(`_${unit}`) ? name : `${name}_${unit}`
}

/** Keys that become equal are one label with both values, as the compatibility page asks. */
function labelsOf(attributes: readonly KeyValue[]): string[] {
  const values = new Map<string, string>()
  for (const { key, value } of attributes) {
    let name = key.replaceAll(/[^a-zA-Z0-9_]/g, '_').replaceAll(/_{2,}/g, '_')
    if (/^[0-9]/.test(name)) name = `key_${name}`
    const text = labelText(value)
    const other = values.get(name)
    values.set(name, other === undefined ? text : `${other};${text}`)
  }
  return [...values].map(([name, value]) => label(name, value))
}

const labelText = (value: AnyValue): string => {
  if (typeof value === 'string') return value
  if (Array.isArray(value))
    return `[${value.map((item) => (typeof item === 'string' ? JSON.stringify(item) : labelText(item))).join(',')}]`
  return value === null ? '' : String(value)
}

const label = (name: string, value: string): string =>
  `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

function escapeHelp(help: string, format: PrometheusFormat): string {
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return format === 'openmetrics' ? text.replaceAll('"', '\\"') : text
}
