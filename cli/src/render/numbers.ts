import { visibleLine } from './visible-text.ts'

/** Thousands with a comma, decimals with a point, in every locale. */
const group = (text: string): string => {
  const [whole = '', decimals] = text.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
  return decimals === undefined ? grouped : `${grouped}.${decimals}`
}

/** Three significant digits above 1, whole numbers from 100 on: `0.042`, `1.25`, `18.4`, `182`, `12,345`. */
export const formatNumber = (value: number): string => {
  if (!Number.isFinite(value)) return String(value)
  if (Number.isInteger(value)) return group(String(value))
  const size = Math.abs(value)
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3
  const fixed = value.toFixed(decimals)
  return group(fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed)
}

export const formatMs = (ms: number): string => `${formatNumber(ms)} ms`

/** A ratio from 0 to 1 as a percentage. */
export const formatShare = (ratio: number): string => `${formatNumber(Math.round(ratio * 1000) / 10)} %`

const byteSteps = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const

/** A value with its UCUM unit as a person writes it: `182 ms`, `47 calls`, `1.2 MB`, `0.3`. */
export const formatQuantity = (value: number, unit: string): string => {
  if (unit === 'By') {
    for (const [name, size] of byteSteps)
      if (Math.abs(value) >= size) return `${formatNumber(value / size)} ${name}`
    return `${formatNumber(value)} bytes`
  }
  if (unit === '1' || unit === '') return formatNumber(value)
  const annotation = /^\{([^{}]+)\}(.*)$/.exec(unit)
  if (annotation) {
    const [, thing = '', rest = ''] = annotation
    const many = value === 1 ? thing : /[^s]y$/.test(thing) ? `${thing.slice(0, -1)}ies` : `${thing}s`
    return `${formatNumber(value)} ${visibleLine(many)}${visibleLine(rest)}`
  }
  return `${formatNumber(value)} ${visibleLine(unit)}`
}

/** `165-198`: the interval of a value whose unit stands beside it. */
export const formatInterval = (low: number, high: number): string => {
  // Too few values for one side: the bound is open, and says so.
  if (!Number.isFinite(high))
    return Number.isFinite(low) ? `${formatNumber(low)} or more` : 'interval unknown'
  if (!Number.isFinite(low)) return `${formatNumber(high)} or less`
  return low < 0
    ? `${formatNumber(low)} to ${formatNumber(high)}`
    : `${formatNumber(low)}-${formatNumber(high)}`
}

/** `3 findings`, `1 finding`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${formatNumber(n)} ${n === 1 ? one : many}`

/** `2026-05-04 10:02:07 UTC`; reports are read by machines of several zones. */
export const formatTime = (unixMs: number): string =>
  Number.isFinite(unixMs) && Math.abs(unixMs) < 8.64e15
    ? `${new Date(unixMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`
    : String(unixMs)
