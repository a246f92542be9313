import { badRunFile } from '../errors.ts'
import { type Metric, type Run, runSchemaVersion, type Sample } from '../run.ts'
import { runIdPattern } from './run-id.ts'

type Fields = Readonly<Record<string, unknown>>

/** Turns parsed JSON into a run. Throws `HS_RUN_FILE` naming file, key, value and expectation. */
export function parseRun(value: unknown, file: string): Run {
  const f = new Reader(file, '', value)
  const schemaVersion = f.value('schemaVersion')
  if (schemaVersion !== runSchemaVersion) {
    throw badRunFile(
      file,
      'schemaVersion',
      schemaVersion,
      `${runSchemaVersion} (written by another version of Hotspan?)`,
    )
  }
  const id = f.text('id')
  if (!runIdPattern.test(id))
    throw badRunFile(file, 'id', id, 'run- and up to 100 letters, digits, dots, dashes')
  const health = f.inner('health')
  return {
    schemaVersion: runSchemaVersion,
    id,
    kind: f.oneOf('kind', ['load', 'lighthouse']),
    driver: f.text('driver'),
    driverVersion: f.text('driverVersion'),
    model: f.oneOf('model', ['open', 'closed', 'page']),
    scenario: f.text('scenario'),
    url: f.text('url'),
    startedAtUnixMs: f.count('startedAtUnixMs'),
    warmUpMs: f.number('warmUpMs'),
    measuredMs: f.number('measuredMs'),
    arrivals: f.oneOf('arrivals', ['constant', 'poisson', 'none']),
    arrivalsPerSec: f.number('arrivalsPerSec'),
    seed: f.count('seed'),
    commit: f.text('commit'),
    branch: f.text('branch'),
    dirty: f.flag('dirty'),
    machineKey: f.text('machineKey'),
    configHash: f.text('configHash'),
    health: {
      sent: health.count('sent'),
      failed: health.count('failed'),
      refused: health.count('refused'),
      lateShareRatio: health.ratio('lateShareRatio'),
      generatorCpuMs: health.number('generatorCpuMs'),
      voidReason: health.text('voidReason'),
    },
    metrics: parseMetrics(f),
    command: f.texts('command'),
  }
}

/** One line of `samples.jsonl`, parsed; `place` is file and line. */
export function parseSample(value: unknown, place: string): Sample {
  const f = new Reader(place, '', value)
  if (f.oneOf('type', ['request', 'page']) === 'page') {
    return {
      type: 'page',
      page: f.text('page'),
      metric: f.text('metric'),
      value: f.signed('value'),
      unit: f.text('unit'),
    }
  }
  return {
    type: 'request',
    endpoint: f.text('endpoint'),
    intendedUnixUs: f.count('intendedUnixUs'),
    sentUnixUs: f.count('sentUnixUs'),
    durationUs: f.count('durationUs'),
    status: f.count('status'),
    bytes: f.count('bytes'),
    error: f.text('error'),
    traceId: f.text('traceId'),
  }
}

function parseMetrics(run: Reader): Record<string, Metric> {
  const all = run.inner('metrics')
  const metrics: Record<string, Metric> = {}
  for (const name of all.keys()) {
    const metric = all.inner(name)
    metrics[name] = { value: metric.signed('value'), unit: metric.text('unit'), n: metric.count('n') }
  }
  return metrics
}

/** Reads typed fields of one JSON object; every refusal names the whole key (`health.sent`). */
class Reader {
  readonly #place: string
  readonly #prefix: string
  readonly #fields: Fields

  constructor(place: string, prefix: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw badRunFile(place, prefix, value, 'a JSON object')
    }
    this.#place = place
    this.#prefix = prefix
    this.#fields = value as Fields
  }

  keys(): string[] {
    return Object.keys(this.#fields)
  }

  value(key: string): unknown {
    return Object.hasOwn(this.#fields, key) ? this.#fields[key] : undefined
  }

  inner(key: string): Reader {
    return new Reader(this.#place, this.#prefix === '' ? key : `${this.#prefix}.${key}`, this.value(key))
  }

  text(key: string): string {
    const value = this.value(key)
    return typeof value === 'string' ? value : this.#refuse(key, 'text')
  }

  texts(key: string): string[] {
    const value = this.value(key)
    const good = Array.isArray(value) && value.every((item) => typeof item === 'string')
    return good ? (value as string[]) : this.#refuse(key, 'a list of texts')
  }

  flag(key: string): boolean {
    const value = this.value(key)
    return typeof value === 'boolean' ? value : this.#refuse(key, 'true or false')
  }

  signed(key: string): number {
    const value = this.value(key)
    return typeof value === 'number' ? value : this.#refuse(key, 'a number')
  }

  number(key: string): number {
    const value = this.signed(key)
    return value >= 0 ? value : this.#refuse(key, 'a number >= 0')
  }

  ratio(key: string): number {
    const value = this.signed(key)
    return value >= 0 && value <= 1 ? value : this.#refuse(key, 'a number from 0 to 1')
  }

  count(key: string): number {
    const value = this.value(key)
    return Number.isSafeInteger(value) && (value as number) >= 0
      ? (value as number)
      : this.#refuse(key, 'an integer >= 0')
  }

  oneOf<const T extends string>(key: string, allowed: readonly T[]): T {
    const found = allowed.find((item) => item === this.value(key))
    return found ?? this.#refuse(key, allowed.join(' or '))
  }

  #refuse(key: string, expected: string): never {
    const whole = this.#prefix === '' ? key : `${this.#prefix}.${key}`
    throw badRunFile(this.#place, whole, this.value(key), expected)
  }
}
