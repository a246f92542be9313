import type { Bench, BenchResult } from './definition.ts'
import { meets } from './spread.ts'

/** The table for people. */
export function printTable(bench: Bench, result: BenchResult, seconds: number): void {
  console.log(`\n${bench.name}: ${bench.question}`)
  console.log(`${result.rounds} rounds, ${seconds.toFixed(0)} s\n`)
  const rows = result.figures.map((f) => {
    const met = meets(f.target, f.value)
    const verdict = met === undefined ? '' : met ? 'met' : 'MISSED'
    return [f.id, number(f.value), `${number(f.low)} - ${number(f.high)}`, f.unit, f.target, verdict]
  })
  const head = ['figure', 'value', 'spread', 'unit', 'target', '']
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]!.length)))
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
  if (result.notes.length > 0) console.log()
  for (const note of result.notes) console.log(note)
}

/** The last line for machines. Numbers that do not exist are null. */
export function jsonLine(bench: Bench, result: BenchResult): string {
  const figures = result.figures.map(({ id, value, low, high, unit, target }) => ({
    id,
    value,
    low,
    high,
    unit,
    target,
  }))
  return JSON.stringify({ name: bench.name, rounds: result.rounds, figures })
}

function number(value: number): string {
  if (!Number.isFinite(value)) return '-'
  if (value === 0) return '0'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3
  return value.toFixed(digits)
}
