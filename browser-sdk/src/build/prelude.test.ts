import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { functionKey } from './function-key.ts'
import { preludeOf, withPrelude } from './prelude.ts'

const id = '0123456789abcdef0123456789abcdef'

interface Page {
  HOTSPAN_BUILD: Record<string, string>
  HOTSPAN_NAME: (type: unknown) => string
}

const run = (code: string): Page & Record<string, unknown> => {
  const page = {} as Page & Record<string, unknown>
  runInNewContext(code, page)
  return page
}

test('names in the page have the keys that the plugin computes', () => {
  const { HOTSPAN_BUILD, HOTSPAN_NAME } = run(preludeOf(id))
  expect({ ...HOTSPAN_BUILD }).toEqual({ 'hotspan.build.id': id })
  function t(e: number) {
    return `ü${e}`
  }
  class Basket {}
  const key = functionKey(String(t))
  expect(HOTSPAN_NAME(t)).toBe(`t~${key}`)
  expect(HOTSPAN_NAME(t)).toBe(`t~${key}`)
  expect(HOTSPAN_NAME(Basket)).toBe(`Basket~${functionKey(String(Basket))}`)
  expect(HOTSPAN_NAME({ type: t })).toBe(`t~${key}`)
  expect(HOTSPAN_NAME({ displayName: 'Card', type: { render: t } })).toBe(`Card~${key}`)
  expect(HOTSPAN_NAME(() => 1)).toMatch(/^Anonymous~/)
  for (const other of [{}, null, 'div', { type: null }, Symbol('x')]) expect(HOTSPAN_NAME(other)).toBe('')
})

test('directives stay first, and the code keeps its lines but for one more at the top', () => {
  const strict = run(withPrelude(`"use strict";globalThis.self = (function () { return this })()`, id))
  expect(strict.self).toBeUndefined()
  expect(run(withPrelude('globalThis.self = (function () { return this })()', id)).self).toBeDefined()
  expect(withPrelude('a()\nb()', id).split('\n').slice(1)).toEqual(['a()', 'b()'])
  expect(withPrelude(`'use client';\n"use strict";a()`, id).split('\n').slice(-2)).toEqual([
    `'use client';`,
    `"use strict";a()`,
  ])
})
