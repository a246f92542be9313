import { expect, test } from 'vitest'
import type { BuiltFunction } from './function-index.ts'
import { componentOf } from './source-maps.ts'

const built = (builtName: string, name: string, source: string, line: number): BuiltFunction => ({
  key: 'k1',
  builtName,
  start: 0,
  end: 9,
  name,
  source,
  line,
})

const card = built('t', 'ProductCard', 'src/product-card.tsx', 41)
const known = (...functions: BuiltFunction[]) => new Map([['k1', functions]])
const shown = (sent: string, ...functions: BuiltFunction[]) => {
  const place = componentOf(sent, known(...functions))
  return place && `${place.name} ${place.file}:${place.line}`
}

test.each([
  ['the name of the build', 't~k1', [card], 'ProductCard src/product-card.tsx:41'],
  ['none in the build', 'Anonymous~k1', [card], 'ProductCard src/product-card.tsx:41'],
  ['a displayName of its own', 'Card(blue)~k1', [card], 'Card(blue) src/product-card.tsx:41'],
  ['the same in two files of the build', 't~k1', [card, card], 'ProductCard src/product-card.tsx:41'],
  [
    'no name in the source',
    't~k1',
    [built('t', '', 'src/pages/home-page.tsx', 3)],
    'home-page src/pages/home-page.tsx:3',
  ],
  [
    'equal text, told apart by the name',
    'e~k1',
    [card, built('e', 'Empty', 'src/empty.tsx', 1)],
    'Empty src/empty.tsx:1',
  ],
  ['equal text and name', 't~k1', [card, built('t', 'Empty', 'src/empty.tsx', 1)], undefined],
  ['another key', 't~k2', [card], undefined],
  ['no key', 'ProductCard', [card], undefined],
])('%s', (_what, sent, functions, expected) => {
  expect(shown(sent, ...functions)).toBe(expected)
})
