import { TraceMap } from '@jridgewell/trace-mapping'
import { badSourceMaps, messageOf } from '../errors.ts'
import { parseFunctionIndex } from './function-index.ts'

/** Of one map or list of functions: a file with more is no bundle, and the store is not a file server. */
export const maxFileBytes = 64 << 20

export function parsedJson(where: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw badSourceMaps(`${where} is not JSON: ${messageOf(cause)}. Build again.`, cause)
  }
}

export const isBuildIds = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((id) => /^[0-9a-f]{32}$/.test(id))

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** A path that stays below its folder. */
export const isBelow = (value: unknown): value is string =>
  isText(value) && value.length <= 1024 && !/^([/\\]|[a-z]:)|(^|[/\\])\.\.([/\\]|$)|\0/i.test(value)

/** `where` names it in the error. */
export function checkFunctions(where: string, text: string): void {
  if (parseFunctionIndex(parsedJson(where, text)) === null)
    throw badSourceMaps(`${where} is no list of functions. Build again.`)
}

/** `where` names it in the error. */
export function checkMap(where: string, text: string): void {
  const map = parsedJson(where, text)
  const { version, mappings, sources } = (map ?? {}) as Record<string, unknown>
  if (version !== 3 || typeof mappings !== 'string' || !Array.isArray(sources))
    throw badSourceMaps(`${where} is no source map of version 3. Build again.`)
  try {
    new TraceMap(map as ConstructorParameters<typeof TraceMap>[0])
  } catch (cause) {
    throw badSourceMaps(`${where} is no source map: ${messageOf(cause)}. Build again.`, cause)
  }
}
