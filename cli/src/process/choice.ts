import { nearest } from '../config/nearest.ts'
import { badValue, CliError } from '../errors.ts'

/** Reader of a flag with a fixed list of values; the error names the nearest one for a slip. */
export const choice =
  <T extends string>(flag: string, values: readonly T[]) =>
  (text: string): T => {
    const found = values.find((value) => value === text)
    if (found !== undefined) return found
    const error = badValue(flag, text, `one of ${values.join(', ')}`)
    const near = nearest(text, values)
    throw near === undefined
      ? error
      : new CliError(error.code, error.exit, error.message, `Did you mean ${flag} ${near}?`)
  }

/** Reader of a flag by a parser that yields `undefined` for what it cannot read. */
export const parsed =
  <T>(flag: string, parse: (text: string) => T | undefined, expected: string) =>
  (text: string): T => {
    const value = parse(text)
    if (value === undefined) throw badValue(flag, text, expected)
    return value
  }
