import { nearest } from './config/nearest.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'

/** An error with a code, what and where it is, and the way out. Printed without a stack. */
export class CliError extends Error {
  readonly code: string
  readonly exit: ExitCode
  /** The way out, one or more lines; `''` when the message holds it. */
  readonly hint: string

  constructor(code: string, exit: ExitCode, message: string, hint = '') {
    super(message)
    this.name = 'CliError'
    this.code = code
    this.exit = exit
    this.hint = hint
  }
}

/** A value as the user gave it, short and on one line. */
export const show = (value: unknown): string => {
  let text: string
  try {
    text = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? String(value))
  } catch {
    text = String(value)
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** A flag, variable or configuration key with a value that cannot be used. `where` is `--otlp-port`, `HOTSPAN_OTLP_PORT` or `otlpHttpPort in hotspan.config.ts`. */
export const badValue = (where: string, got: unknown, expected: string): CliError =>
  new CliError('HS_VALUE', exitCode.usage, `${where} is ${show(got)}; expected ${expected}`)

/** A name that is not on the list. `what` is `option`, `command`, `configuration key`. */
export const unknownName = (what: string, got: string, known: readonly string[], where = ''): CliError => {
  const near = nearest(got, known)
  const place = where === '' ? '' : ` ${where}`
  const wayOut = near === undefined ? `Known: ${known.join(', ')}` : `Did you mean ${near}?`
  return new CliError('HS_UNKNOWN_NAME', exitCode.usage, `unknown ${what} ${show(got)}${place}`, wayOut)
}

export const missingSetUp = (message: string, hint: string): CliError =>
  new CliError('HS_SET_UP', exitCode.usage, message, hint)
