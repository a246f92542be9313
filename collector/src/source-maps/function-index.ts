/** A function of a built file and what it was in the source. */
export interface BuiltFunction {
  /** Of its text in the build. */
  readonly key: string
  /** What the build calls it; '' when nothing. */
  readonly builtName: string
  /** UTF-16 offsets in the built file. */
  readonly start: number
  readonly end: number
  /** '' for an anonymous one. */
  readonly name: string
  readonly source: string
  /** From 1. */
  readonly line: number
}

export interface FunctionIndex {
  readonly lineStarts: readonly number[]
  /** By start; an outer function before those inside of it. */
  readonly functions: readonly BuiltFunction[]
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

/** The `functions` document of a build folder (written by the plugins of `@hotspan/browser`); null when it is none. */
export function parseFunctionIndex(document: unknown): FunctionIndex | null {
  const { schemaVersion, lineStarts, names, sources, functions } = (document ?? {}) as Record<string, unknown>
  if (schemaVersion !== 1 || !isTexts(names) || !isTexts(sources)) return null
  if (!Array.isArray(lineStarts) || !lineStarts.every(isCount) || !Array.isArray(functions)) return null
  const parsed: BuiltFunction[] = []
  for (const row of functions as unknown[]) {
    if (!Array.isArray(row)) return null
    const [key, builtName, start, end, nameAt, sourceAt, line] = row as unknown[]
    const name = names[nameAt as number]
    const source = sources[sourceAt as number]
    if (
      typeof key !== 'string' ||
      typeof builtName !== 'string' ||
      name === undefined ||
      source === undefined
    )
      return null
    if (!isCount(start) || !isCount(end) || !isCount(line)) return null
    parsed.push({ key, builtName, start, end, name, source, line })
  }
  return { lineStarts: lineStarts as number[], functions: parsed }
}

/** Offset of a line and column, both from 1 as stack traces have them; -1 when the file has no such line. */
export function offsetOf(index: FunctionIndex, line: number, column: number): number {
  const start = index.lineStarts[line - 1]
  return start === undefined ? -1 : start + column - 1
}

/** Line from 1 and column from 0 of an offset. */
export function positionAt(index: FunctionIndex, offset: number): { line: number; column: number } {
  const line = lastAtOrBelow(index.lineStarts.length, (at) => index.lineStarts[at]!, offset)
  return { line: line + 1, column: offset - (index.lineStarts[line] ?? 0) }
}

/** The innermost function with a name around an offset: an anonymous callback goes by the function that it is written in. */
export function namedFunctionAt(index: FunctionIndex, offset: number): BuiltFunction | undefined {
  const { functions } = index
  for (let at = lastAtOrBelow(functions.length, (i) => functions[i]!.start, offset); at >= 0; at--) {
    const found = functions[at]!
    if (found.end > offset && found.name !== '') return found
  }
  return undefined
}

/** Index of the last of `length` ascending values that is not above `limit`; -1 when all are. */
function lastAtOrBelow(length: number, valueAt: (index: number) => number, limit: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (valueAt(middle) <= limit) low = middle + 1
    else high = middle
  }
  return low - 1
}
