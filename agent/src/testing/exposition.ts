/** One sample line of a scrape. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  /** Exemplar of OpenMetrics. */
  readonly exemplar: { readonly labels: Readonly<Record<string, string>>; readonly value: number } | undefined
}

export interface Exposition {
  readonly types: Readonly<Record<string, string>>
  readonly samples: readonly Sample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\n"])*"'
const LABELS = `\\{((?:${LABEL}(?:,${LABEL})*)?)\\}`
const NUMBER = '(?:[+-]?Inf|NaN|[+-]?[0-9]+(?:\\.[0-9]+)?(?:e[+-]?[0-9]+)?)'
const SAMPLE = new RegExp(
  `^(${NAME})(?:${LABELS})? (${NUMBER})(?: # ${LABELS} (${NUMBER}) ([0-9]+(?:\\.[0-9]+)?))?$`,
)

/**
 * A strict reader of Prometheus's text format and of OpenMetrics: throws on anything that either does not allow, on a family
 * whose lines are not together, on a sample without a type, on buckets that fall or end elsewhere than at the count.
 */
export function parseExposition(text: string, format: 'text' | 'openmetrics'): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const lines = text.slice(0, -1).split('\n')
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('no # EOF')
  const types: Record<string, string> = {}
  const samples: Sample[] = []
  const seen = new Set<string>()
  let family = ''
  for (const line of lines) {
    const meta = new RegExp(`^# (TYPE|HELP|UNIT) (${NAME}) (.*)$`).exec(line)
    if (meta !== null) {
      const [, word, name, rest] = meta as unknown as [string, string, string, string]
      if (word === 'TYPE') {
        if (types[name] !== undefined) throw new Error(`${name} has two types`)
        types[name] = rest
      } else if (types[name] === undefined) throw new Error(`${word} of ${name} stands before its type`)
      if (word === 'UNIT' && !name.endsWith(`_${rest}`)) throw new Error(`${name} does not end in ${rest}`)
      family = name
      continue
    }
    const match = SAMPLE.exec(line)
    if (match === null) throw new Error(`no sample: ${line}`)
    if (format === 'text' && match[4] !== undefined) throw new Error('an exemplar in the text format')
    const name = match[1]!
    const suffix = name.slice(family.length)
    const allowed: Record<string, string[]> = {
      histogram: ['_bucket', '_sum', '_count'],
      counter: format === 'text' ? [''] : ['_total'],
      gauge: [''],
      info: ['_info'],
    }
    if (!name.startsWith(family) || !allowed[types[family]!]?.includes(suffix))
      throw new Error(`${name} does not belong to ${family} (${types[family]})`)
    const identity = `${name}{${match[2] ?? ''}}`
    if (seen.has(identity)) throw new Error(`${identity} stands there twice`)
    seen.add(identity)
    samples.push({
      name,
      labels: labelsOf(match[2] ?? ''),
      value: numberOf(match[3]!),
      exemplar:
        match[4] === undefined ? undefined : { labels: labelsOf(match[4]), value: numberOf(match[5]!) },
    })
  }
  checkBuckets(types, samples)
  return { types, samples }
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const [pair] of text.matchAll(new RegExp(LABEL, 'g'))) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals)
    if (labels[name] !== undefined) throw new Error(`label ${name} stands there twice`)
    labels[name] = JSON.parse(pair.slice(equals + 1)) as string
  }
  return labels
}

const numberOf = (text: string): number =>
  text.endsWith('Inf')
    ? text.startsWith('-')
      ? Number.NEGATIVE_INFINITY
      : Number.POSITIVE_INFINITY
    : Number(text)

function checkBuckets(types: Record<string, string>, samples: readonly Sample[]): void {
  for (const [family, type] of Object.entries(types)) {
    if (type !== 'histogram') continue
    const last = new Map<string, { bound: number; value: number }>()
    const identity = ({ labels: { le: _le, ...rest } }: Sample): string => JSON.stringify(rest)
    for (const sample of samples) {
      if (sample.name === `${family}_bucket`) {
        const before = last.get(identity(sample))
        const bound = numberOf(sample.labels.le!)
        if (before !== undefined && (bound <= before.bound || sample.value < before.value))
          throw new Error(`buckets of ${family} fall`)
        last.set(identity(sample), { bound, value: sample.value })
      } else if (sample.name === `${family}_count`) {
        const top = last.get(identity(sample))
        if (top?.bound !== Number.POSITIVE_INFINITY || top.value !== sample.value)
          throw new Error(`the count of ${family} is not its last bucket`)
      }
    }
  }
}
