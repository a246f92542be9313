/**
 * An error that a person can act on: `code` for programs, the message says what, where and the way out.
 * `exit` is the exit code the command line should use: 2 usage or set-up, 70 our own fault.
 */
export class LoadtestsError extends Error {
  readonly code: string
  readonly exit: number

  constructor(code: string, message: string, exit = 2, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LoadtestsError'
    this.code = code
    this.exit = exit
  }
}

/** A value as it should appear inside an error message: short, quoted, on one line. */
export function show(value: unknown): string {
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'number' || value === undefined) return String(value)
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

/** An option of a call has a value that cannot be used. */
export function badOption(key: string, got: unknown, expected: string): LoadtestsError {
  return new LoadtestsError('HS_LOAD_OPTION', `${key} is ${show(got)}; expected ${expected}`)
}

/** A value inside a file of a run folder cannot be used. `place` is the file, with a line when it has lines. */
export function badRunFile(place: string, key: string, got: unknown, expected: string): LoadtestsError {
  const subject = key === '' ? 'the content' : key
  return new LoadtestsError('HS_RUN_FILE', `${place}: ${subject} is ${show(got)}; expected ${expected}`)
}
