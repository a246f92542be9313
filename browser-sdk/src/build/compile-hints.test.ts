import { readFileSync } from 'node:fs'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const built = (file: string): string =>
  readFileSync(new URL(`../../dist/core/${file}`, import.meta.url), 'utf8')

test('functions of the package stand in parentheses, which a minified bundle keeps', async () => {
  expect(built('observe.js')).toMatch(/export const recorded = \(\w+ => \{/)
  const { outputFiles } = await build({
    stdin: { contents: built('chunks.js') },
    minify: true,
    format: 'esm',
    write: false,
  })
  expect(outputFiles[0]!.text).toMatch(/=\(\w=>new TextEncoder\(\)\.encode\(\w\)\)/)
})

test('the source maps know of the parentheses', () => {
  const lines = built('observe.js').split('\n')
  const line = lines.findIndex((text) => text.includes('.getEntries()'))
  const column = lines[line]!.search(/\w\.getEntries/)
  const source = readFileSync(new URL('../core/observe.ts', import.meta.url), 'utf8').split('\n')
  const found = originalPositionFor(new TraceMap(built('observe.js.map')), { line: line + 1, column })
  expect(source[found.line! - 1]!.slice(found.column!)).toMatch(/^list\.getEntries/)
})
