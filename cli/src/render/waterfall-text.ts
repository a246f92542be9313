import type { Waterfall, WaterfallRow } from '../trace/waterfall.ts'
import { count, formatMs, formatTime } from './numbers.ts'
import { notesOf } from './span-notes.ts'
import { colors } from './terminal.ts'
import { cut, visibleLine } from './visible-text.ts'

export interface WaterfallTextOptions {
  readonly color?: boolean
  readonly width?: number
  /** Statements in full instead of one cut line each. */
  readonly statements?: boolean
}

const durationWidth = 10
/** Components or scripts of one span. */
const shownNotes = 3

const bar = (row: WaterfallRow, totalMs: number, width: number): string => {
  const scale = totalMs > 0 ? width / totalMs : 0
  const from = Math.min(width - 1, Math.max(0, Math.floor(row.startMs * scale)))
  const to = Math.min(width, Math.max(from + 1, Math.round((row.startMs + row.durationMs) * scale)))
  const mark = row.critical ? '#' : row.folded > 0 ? ':' : '='
  return `${' '.repeat(from)}${mark.repeat(to - from)}${' '.repeat(width - to)}`
}

const nameOf = (row: WaterfallRow): string => (row.folded > 0 ? `${row.folded} more x ${row.name}` : row.name)

/** One trace in the terminal: name, duration, bar; `*` and `#` mark the critical path, `!` an error. */
export const renderWaterfallText = (waterfall: Waterfall, options: WaterfallTextOptions = {}): string => {
  const { width = 80, statements = false } = options
  const color = colors(options.color ?? false)
  const barWidth = Math.max(20, Math.min(60, Math.floor(width * 0.38)))
  const nameWidth = width - barWidth - durationWidth - 6
  const several = waterfall.services.length > 1

  const goesOn = formatMs(waterfall.durationMs) !== formatMs(waterfall.entryMs)
  const lines = [
    `${color.bold(visibleLine(waterfall.name))}   ${formatMs(waterfall.entryMs)}   ${formatTime(waterfall.startUnixMs)}`,
    `trace ${visibleLine(waterfall.traceId)}${goesOn ? `   ${formatMs(waterfall.durationMs)} until the end of its last span` : ''}`,
    `${count(waterfall.spans, 'span')} of ${waterfall.services.map(visibleLine).join(', ')}${waterfall.errors > 0 ? `, ${count(waterfall.errors, 'error')}` : ''}`,
  ]
  if (waterfall.orphans > 0)
    lines.push(`incomplete: ${count(waterfall.orphans, 'span')} without a parent in the store`)
  const anyCritical = waterfall.rows.some((row) => row.critical)
  lines.push(anyCritical ? '* # critical path   ! error' : '! error', '')

  let service = ''
  for (const row of waterfall.rows) {
    const depth = Math.min(row.depth, 10)
    const where = several && row.service !== service ? ` [${visibleLine(row.service)}]` : ''
    service = row.service
    const marks = `${row.critical ? '*' : ' '}${row.error ? '!' : ' '}`
    const pad = ' '.repeat(depth)
    const name = cut(`${pad}${visibleLine(nameOf(row))}${where}`, nameWidth).padEnd(nameWidth)
    const duration = formatMs(row.durationMs).padStart(durationWidth)
    const line = `${marks} ${name} ${duration} |${bar(row, waterfall.durationMs, barWidth)}`.trimEnd()
    lines.push(row.error ? color.red(line) : row.critical ? color.bold(line) : line)
    if (row.folded > 0) continue
    const place = row.codePlace === '' ? '' : `${visibleLine(row.codePlace)}  `
    const all = notesOf(row.events)
    const notes = statements ? all : all.slice(0, shownNotes)
    for (const detail of [`${place}${visibleLine(row.detail)}`.trimEnd(), ...notes.map(visibleLine)]) {
      if (detail === '') continue
      const text = `${pad}  ${detail}`
      lines.push(color.dim(`   ${statements ? text : cut(text, width - 3)}`))
    }
    if (notes.length < all.length)
      lines.push(color.dim(`   ${pad}  ${all.length - notes.length} more; --all shows them`))
  }
  if (waterfall.leftOut > 0)
    lines.push(`   ${count(waterfall.leftOut, 'span')} left out; --format json has all`)
  return `${lines.join('\n')}\n`
}
