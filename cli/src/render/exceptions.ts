import type { StoredException } from '@hotspan/collector'
import { escapeHtml } from './escape-html.ts'
import { count } from './numbers.ts'
import { type Colors, colors } from './terminal.ts'
import { cut, visibleLine } from './visible-text.ts'

const shownFrames = 4
const shownExceptions = 10

interface Shown {
  readonly title: string
  readonly frames: readonly string[]
}

const shown = ({ type, message, stack }: StoredException, frames: number): Shown => ({
  title: `${type}: ${message}`,
  // The first line of V8's stacks repeats type and message; other browsers begin with a frame.
  frames: stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /^at |@|:\d+:\d+\)?$/.test(line))
    .slice(0, frames),
})

/** Errors below a waterfall in the terminal; `''` when there are none. */
export const renderExceptionsText = (
  exceptions: readonly StoredException[],
  options: { readonly color?: boolean; readonly width?: number; readonly all?: boolean } = {},
): string => {
  if (exceptions.length === 0) return ''
  const { width = 80, all = false } = options
  const color: Colors = colors(options.color ?? false)
  const lines = ['', `${count(exceptions.length, 'error')} reported`]
  const some = exceptions.slice(0, all ? undefined : shownExceptions)
  for (const exception of some) {
    const { title, frames } = shown(exception, all ? Infinity : shownFrames)
    lines.push(color.red(cut(`! ${visibleLine(title)}`, width)))
    for (const frame of frames) lines.push(color.dim(cut(`   ${visibleLine(frame)}`, width)))
  }
  if (some.length < exceptions.length)
    lines.push(`   ${count(exceptions.length - some.length, 'error')} left out; --all shows them`)
  return `${lines.join('\n')}\n`
}

/** The same for a page. */
export const exceptionsHtml = (exceptions: readonly StoredException[]): string => {
  if (exceptions.length === 0) return ''
  const items = exceptions.map((exception) => {
    const { title, frames } = shown(exception, Infinity)
    return `<p class="err">! ${escapeHtml(title)}</p><pre class="mono">${frames.map(escapeHtml).join('\n')}</pre>`
  })
  return `<section class="card"><h2>${count(exceptions.length, 'error')} reported</h2>${items.join('\n')}</section>`
}
