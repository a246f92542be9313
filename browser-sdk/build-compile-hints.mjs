import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { decodedMappings, encodedMap, TraceMap } from '@jridgewell/trace-mapping'
import { parse } from 'acorn'

/**
 * Puts the functions of `dist` between parentheses. V8 takes those for functions that are called at once and compiles them with
 * the script, on the thread that loads it; any other function it reads twice, the second time on the main thread, when it is called.
 * That was a third of what the SDK cost a page (`npm run bench -- browser-cost`: scripts added, 18.9 ms without and 12.5 ms with, 8
 * rounds side by side). esbuild and Vite 8 keep the parentheses, Terser does not. In the sources the formatter would take them away.
 */
const dist = new URL('dist/', import.meta.url)

/** Not for a browser, or seldom called. */
const isLeftOut = (file) => /^build\/|^(core\/gzip|devtools)\.js$|\.iife\.js$/.test(file)

/** Not a callback of one expression: most have few calls and little to compile, and every byte is counted. */
const isWorthIt = (node, parent) => node.body.type === 'BlockStatement' || parent === 'VariableDeclarator'

/** Where a parenthesis goes in: `{ at, line, column, text }`, from the end of the file to its beginning. */
const parentheses = (code) => {
  const found = []
  const visit = (node, parent) => {
    if (Array.isArray(node)) for (const each of node) visit(each, parent)
    else if (typeof node?.type === 'string') {
      const { type, start, end, loc } = node
      // Of asynchronous arrow functions V8 takes no such hint. What is in parentheses has been here before.
      if (
        type === 'ArrowFunctionExpression' &&
        !node.async &&
        parent !== 'ParenthesizedExpression' &&
        isWorthIt(node, parent)
      )
        found.push({ at: start, ...loc.start, text: '(' }, { at: end, ...loc.end, text: ')' })
      for (const key in node) visit(node[key], type)
    }
  }
  visit(parse(code, { ecmaVersion: 'latest', sourceType: 'module', locations: true, preserveParens: true }))
  return found.sort((a, b) => b.at - a.at)
}

for (const file of readdirSync(dist, { recursive: true })) {
  if (!file.endsWith('.js') || isLeftOut(file)) continue
  const [codeFile, mapFile] = [new URL(file, dist), new URL(`${file}.map`, dist)]
  let code = readFileSync(codeFile, 'utf8')
  const map = new TraceMap(readFileSync(mapFile, 'utf8'))
  const lines = decodedMappings(map)
  for (const { at, line, column, text } of parentheses(code)) {
    code = code.slice(0, at) + text + code.slice(at)
    for (const segment of lines[line - 1] ?? []) if (segment[0] >= column) segment[0]++
  }
  writeFileSync(codeFile, code)
  writeFileSync(mapFile, JSON.stringify(encodedMap(map)))
}
