import { badValue, CliError } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import { durationExpected, instantExpected, parseDurationMs, parseInstantMs } from './parse.ts'

export interface WindowFlags {
  readonly since?: string
  readonly from?: string
  readonly to?: string
}

/** The window in epoch ms. `--since` counts back from now; `--from` and `--to` are instants; both kinds at once are refused. */
export const timeWindow = (
  flags: WindowFlags,
  nowMs: number,
  fallbackMs: number,
): { fromMs: number; toMs: number } => {
  if (flags.since !== undefined && (flags.from !== undefined || flags.to !== undefined)) {
    throw new CliError(
      'HS_WINDOW',
      exitCode.usage,
      '--since cannot stand beside --from or --to',
      'Name either a length or two instants',
    )
  }
  const instant = (flag: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    const ms = parseInstantMs(text)
    if (ms === undefined) throw badValue(flag, text, instantExpected)
    return ms
  }
  let sinceMs = fallbackMs
  if (flags.since !== undefined) {
    const ms = parseDurationMs(flags.since)
    if (ms === undefined) throw badValue('--since', flags.since, durationExpected)
    sinceMs = ms
  }
  const toMs = instant('--to', flags.to) ?? nowMs
  const fromMs = instant('--from', flags.from) ?? toMs - sinceMs
  if (fromMs >= toMs) throw badValue('--from', flags.from, 'a time before --to')
  return { fromMs, toMs }
}
