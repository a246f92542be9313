/** What an analysis can be told; every value is printed with the findings. The defaults are those of README.md, When a finding holds. */
export interface AnalysisOptions {
  /** Epoch ms, start included, end excluded. */
  readonly fromMs: number
  readonly toMs: number
  /** s after the start of a process that are left out. Default 60. */
  readonly warmUpSec?: number
  /** Traces that a pattern must be seen in. Default 3. */
  readonly minTraces?: number
  /** Distinct minutes that a pattern must be seen in. Default 2, never below. */
  readonly minMinutes?: number
  /** Share of false findings that the correction for many tests allows, 0 to 1. Default 0.05. */
  readonly falseDiscoveryRate?: number
  /** Detectors to run, by id. Default all. */
  readonly detectors?: readonly string[]
}

export interface Settings {
  readonly warmUpSec: number
  readonly minTraces: number
  readonly minMinutes: number
  readonly falseDiscoveryRate: number
}

/** A value is out of range. */
export class AnalysisOptionError extends Error {
  readonly code = 'HS_ANALYSIS_OPTION'
}

/** @throws AnalysisOptionError naming the option, its value and what is expected. */
export function parseSettings(options: AnalysisOptions): Settings {
  const { warmUpSec = 60, minTraces = 3, minMinutes = 2, falseDiscoveryRate = 0.05 } = options
  expect('fromMs', options.fromMs, options.fromMs >= 0, 'epoch milliseconds')
  expect(
    'toMs',
    options.toMs,
    options.toMs > options.fromMs,
    `epoch milliseconds after fromMs (${options.fromMs})`,
  )
  expect('warmUpSec', warmUpSec, warmUpSec >= 0 && warmUpSec <= 86_400, 'seconds from 0 to 86400')
  expect('minTraces', minTraces, Number.isInteger(minTraces) && minTraces >= 3, 'a whole number, 3 or more')
  expect(
    'minMinutes',
    minMinutes,
    Number.isInteger(minMinutes) && minMinutes >= 2,
    'a whole number, 2 or more',
  )
  expect(
    'falseDiscoveryRate',
    falseDiscoveryRate,
    falseDiscoveryRate > 0 && falseDiscoveryRate < 1,
    'a share between 0 and 1',
  )
  return { warmUpSec: Math.round(warmUpSec), minTraces, minMinutes, falseDiscoveryRate }
}

function expect(name: string, value: unknown, holds: boolean, expected: string): void {
  if (!holds) throw new AnalysisOptionError(`${name} is ${String(value)}; expected ${expected}`)
}
