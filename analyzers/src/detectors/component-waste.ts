import type { StoredSpan } from '@hotspan/collector'

export const commitsName = 'react.commits'
export const componentEvent = 'hotspan.react.component'

/** One component in one interaction. */
export interface Waste {
  readonly component: string
  /** Where it is defined; known when the source maps of the build are. */
  readonly file: string | undefined
  readonly line: number | undefined
  readonly root: string
  /** What was new by identity only: a prop `x` or a context `ctx:T`; else `parent`. */
  readonly cause: string
  readonly renders: number
  readonly wasted: number
  readonly wastedMs: number
  readonly isMeasured: boolean
}

/** Nothing is concluded from a development build, where StrictMode renders twice, nor from first mounts and hydration. */
export function isJudgeable(span: StoredSpan): boolean {
  const phase = span.attributes['hotspan.react.phase']
  return span.attributes['hotspan.react.build'] !== 'development' && phase !== 'mount' && phase !== 'hydrate'
}

/** What one `hotspan.react.component` event says. */
export function wasteOf(attributes: Readonly<Record<string, string>>): Waste {
  const number = (name: string) => Number.parseFloat(attributes[`hotspan.react.${name}`] ?? '')
  const renders = Math.max(0, (number('renders') || 0) - (number('mounts') || 0))
  const compared = number('compared') || renders
  // Renders that were not compared are taken to be like those that were.
  const wasted = compared > 0 ? ((number('wasted') || 0) * renders) / compared : 0
  const share = renders > 0 ? Math.min(1, wasted / renders) : 0
  const measuredMs = Number.isNaN(number('wasted_time')) ? number('self_time') * share : number('wasted_time')
  const isMeasured = !Number.isNaN(measuredMs)
  const line = Number.parseInt(attributes['code.line.number'] ?? '', 10)
  return {
    component: attributes['hotspan.react.component'] ?? '',
    file: attributes['code.file.path'],
    line: Number.isNaN(line) ? undefined : line,
    root: attributes['hotspan.react.cascade_root'] ?? '',
    cause: causeOf(attributes['hotspan.react.reasons'] ?? ''),
    renders,
    wasted,
    wastedMs: isMeasured ? measuredMs : (number('est_time') || 0) * share,
    isMeasured,
  }
}

/** The most frequent reason by identity; changes by value are no waste, and `parent` is what is left. */
function causeOf(reasons: string): string {
  let best = 'parent'
  let most = 0
  for (const reason of reasons.split(',')) {
    const [cause = '', count = '0'] = reason.trim().split('=')
    const n = Number.parseInt(count, 10)
    if (!cause.startsWith('ref:') || !(n > most)) continue
    best = cause.slice('ref:'.length)
    most = n
  }
  return best
}

export const isContext = (cause: string) => cause.startsWith('ctx:')
export const nameOf = (cause: string) => cause.replace(/^ctx:/, '')

export const causeText = (cause: string) =>
  isContext(cause) ? `a new value of ${nameOf(cause)} each time` : `a new value of '${cause}' each time`
