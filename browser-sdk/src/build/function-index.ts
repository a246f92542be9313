import { originalPositionFor, type TraceMap } from '@jridgewell/trace-mapping'
import { type Node, type Options, parse } from 'acorn'
import { functionKey } from './function-key.ts'
import { nameInSource } from './name-in-source.ts'

/**
 * `[key, name in the build, start, end, name in the source, source, line]`: UTF-16 offsets in the built file; indexes into
 * `names` and `sources`; the line counts from 1.
 */
export type FunctionRow = readonly [string, string, number, number, number, number, number]

/** The functions of one built file and what they were in the source. */
export interface FunctionIndex {
  readonly schemaVersion: 1
  /** Offsets at which the built file's lines start. */
  readonly lineStarts: readonly number[]
  readonly names: readonly string[]
  readonly sources: readonly string[]
  /** By start. */
  readonly functions: readonly FunctionRow[]
}

interface Found {
  readonly start: number
  readonly end: number
  readonly binding: Binding | undefined
}

/** ESTree, as far as it is read here. */
type AnyNode = Node & {
  readonly id?: AnyNode | null
  readonly key?: AnyNode
  readonly name?: string
  readonly value?: unknown
  readonly init?: unknown
  readonly left?: AnyNode
  readonly right?: unknown
  readonly arguments?: readonly unknown[]
}

const isNode = (value: unknown): value is AnyNode =>
  typeof value === 'object' && value !== null && typeof (value as AnyNode).type === 'string'

const FUNCTION = /^(Function|Class)(Declaration|Expression)$|^ArrowFunctionExpression$/
const WITH_VALUE = /^(Property|MethodDefinition|PropertyDefinition)$/

/** What a value is bound to: an identifier of the build, known by its place and text. */
interface Binding {
  readonly name: string
  readonly at: number
  /** Keys of objects and members of classes keep the source's name. */
  readonly isKey?: boolean
}

const bindingOf = (id: AnyNode | null | undefined): Binding | undefined =>
  id && (id.type === 'Identifier' || id.type === 'PrivateIdentifier')
    ? { name: id.name ?? '', at: id.start }
    : undefined

const keyOf = (key: AnyNode | undefined): Binding | undefined => {
  const binding = bindingOf(key)
  return binding && { ...binding, isKey: true }
}

const parsed = (code: string): Node => {
  const options: Options = {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowHashBang: true,
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
  }
  try {
    return parse(code, options)
  } catch {
    return parse(code, { ...options, sourceType: 'script' })
  }
}

/** Every function and class of the code, each with what it is bound to. An own stack: minified code nests deeply. */
const functionsOf = (code: string): Found[] => {
  const found: Found[] = []
  const pending: [AnyNode, Binding | undefined][] = [[parsed(code) as AnyNode, undefined]]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [node, bound] = next
    const { type } = node
    if (FUNCTION.test(type)) {
      const binding = bindingOf(node.id) ?? bound
      // The text that toString() gives for a method begins with its key.
      const start = (node as { whole?: number }).whole ?? node.start
      found.push({ start, end: node.end, binding })
    }
    for (const [field, value] of Object.entries(node)) {
      for (const child of Array.isArray(value) ? value : [value]) {
        if (!isNode(child)) continue
        let binding: Binding | undefined
        if (type === 'VariableDeclarator' && field === 'init') binding = bindingOf(node.id)
        else if (type === 'AssignmentExpression' && field === 'right') binding = bindingOf(node.left)
        else if (WITH_VALUE.test(type) && field === 'value') {
          binding = keyOf(node.key)
          if (child.type === 'FunctionExpression' && child.start !== node.start && isMethod(node))
            (child as { whole?: number }).whole = node.start
        }
        // memo(function ...), forwardRef(...): the function goes by what the result is bound to.
        else if (type === 'CallExpression' && field === 'arguments' && child === node.arguments?.[0])
          binding = bound
        pending.push([child, binding])
      }
    }
  }
  return found.sort((a, b) => a.start - b.start || b.end - a.end)
}

const isMethod = (node: AnyNode): boolean => {
  const { method, kind } = node as { method?: boolean; kind?: string }
  return node.type === 'MethodDefinition' || method === true || kind === 'get' || kind === 'set'
}

const startsOfLines = (code: string): number[] => {
  const starts = [0]
  // As JavaScript counts lines.
  for (const { index, 0: ending } of code.matchAll(/\r\n|[\n\r\u2028\u2029]/g))
    starts.push(index + ending.length)
  return starts
}

class Interned {
  readonly values: string[] = []
  readonly #at = new Map<string, number>()

  of(value: string): number {
    const known = this.#at.get(value)
    if (known !== undefined) return known
    this.#at.set(value, this.values.length)
    return this.values.push(value) - 1
  }
}

/**
 * Finds every function of a built file in its source, through the file's map (with `sourcesContent`, which settles most names:
 * minifiers drop those of function expressions). Functions that the map does not know are left out. Throws a SyntaxError
 * for code that is no JavaScript.
 */
export const indexFunctions = (
  code: string,
  map: TraceMap,
  pathOf: (source: string) => string,
): FunctionIndex => {
  const lineStarts = startsOfLines(code)
  const names = new Interned()
  const sources = new Interned()
  const functions: FunctionRow[] = []
  let line = 0
  const positionOf = (offset: number) => {
    while (line + 1 < lineStarts.length && lineStarts[line + 1]! <= offset) line++
    while (lineStarts[line]! > offset) line--
    return originalPositionFor(map, { line: line + 1, column: offset - lineStarts[line]! })
  }
  const contentOf = new Map<string, readonly string[] | undefined>()
  const linesOf = (source: string): readonly string[] | undefined => {
    if (!contentOf.has(source))
      contentOf.set(source, map.sourcesContent?.[map.resolvedSources.indexOf(source)]?.split(/\r\n|[\n\r]/))
    return contentOf.get(source)
  }
  for (const { start, end, binding } of functionsOf(code)) {
    const from = positionOf(start)
    if (from.source === null) continue
    const bound = binding && positionOf(binding.at)
    const content = linesOf(from.source)
    const sourceName =
      (content && nameInSource(content, from.line - 1, from.column)) ??
      (bound?.source === from.source ? bound.name : undefined) ??
      (binding?.isKey ? binding.name : '')
    functions.push([
      functionKey(code.slice(start, end)),
      binding?.name ?? '',
      start,
      end,
      names.of(sourceName),
      sources.of(pathOf(from.source)),
      from.line,
    ])
  }
  return { schemaVersion: 1, lineStarts, names: names.values, sources: sources.values, functions }
}
