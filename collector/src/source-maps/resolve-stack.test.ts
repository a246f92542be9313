import { expect, test } from 'vitest'
import { pathsOfStack, resolveStack } from './resolve-stack.ts'
import type { BuildMaps, SourcePlace } from './source-maps.ts'

const maps: BuildMaps = {
  prepare: async () => {},
  place: (path, line, column): SourcePlace | undefined =>
    path === '/assets/a.js'
      ? { name: column < 10 ? 'refuse' : '', file: 'src/a.ts', line: line + 40, column }
      : undefined,
  placeAtOffset: () => undefined,
  component: () => undefined,
}

test('every form of frame that browsers write, and nothing else, is resolved', () => {
  const stack = `RangeError: at f (https://x/assets/a.js:1:2) is no frame
    at t (https://shop.test/assets/a.js:1:7)
    at async n (https://shop.test/assets/a.js?v=2:1:7)
    at new e.t (https://shop.test/assets/a.js:2:7)
    at https://shop.test/assets/a.js:3:70
    at o (https://cdn.test/other.js:1:7)
    at Array.map (<anonymous>)
t@https://shop.test/assets/a.js:1:7
@https://shop.test/assets/a.js:1:70`
  expect(resolveStack(stack, maps)).toBe(`RangeError: at f (https://x/assets/a.js:1:2) is no frame
    at refuse (src/a.ts:41:7)
    at async refuse (src/a.ts:41:7)
    at new refuse (src/a.ts:42:7)
    at src/a.ts:43:70
    at o (https://cdn.test/other.js:1:7)
    at Array.map (<anonymous>)
refuse@src/a.ts:41:7
@src/a.ts:41:70`)
  expect(new Set(pathsOfStack(stack))).toEqual(new Set(['/assets/a.js', '/other.js']))
})

test('a long line of garbage takes no time to be none', () => {
  const garbage = `at ${'('.repeat(20_000)} ${'a@'.repeat(20_000)} at async `
  expect(resolveStack(garbage, maps)).toBe(garbage)
})
