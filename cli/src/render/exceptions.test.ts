import type { StoredException } from '@hotspan/collector'
import { expect, test } from 'vitest'
import { exceptionsHtml, renderExceptionsText } from './exceptions.ts'

const exception = (message: string, stack: string): StoredException => ({
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  service: 'shop-web',
  timeNs: 1n,
  type: 'RangeError',
  message,
  stack,
  attributes: {},
})

const frames = Array.from({ length: 7 }, (_, n) => `    at step${n} (src/cart.ts:${n}:1)`)

test('an error is its message and the first frames of its stack, from either kind of browser', () => {
  const v8 = exception('refused', `RangeError: refused\n${frames.join('\n')}`)
  const gecko = exception('refused', 'refuse@src/cart.ts:3:7\n')
  expect(renderExceptionsText([])).toBe('')
  expect(renderExceptionsText([v8, gecko])).toBe(`
2 errors reported
! RangeError: refused
   at step0 (src/cart.ts:0:1)
   at step1 (src/cart.ts:1:1)
   at step2 (src/cart.ts:2:1)
   at step3 (src/cart.ts:3:1)
! RangeError: refused
   refuse@src/cart.ts:3:7
`)
  expect(renderExceptionsText([v8], { all: true })).toContain('at step6')
})

test('many are counted, none writes to the terminal or the page on its own account', () => {
  const many = Array.from({ length: 13 }, (_, n) => exception(`no ${n}\u001b[2J<script>`, ''))
  const text = renderExceptionsText(many)
  expect(text).toContain('3 errors left out; --all shows them')
  expect(text).not.toContain('\u001b')
  expect(exceptionsHtml(many)).not.toContain('<script>')
})
