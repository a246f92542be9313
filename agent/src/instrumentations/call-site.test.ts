import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { captureCallSite } from './call-site.ts'

function withStacks(prepare: typeof Error.prepareStackTrace): void {
  const { prepareStackTrace } = Error
  onTestFinished(() => {
    Error.prepareStackTrace = prepareStackTrace
  })
  Error.prepareStackTrace = prepare
}

test.each([
  ['throws', () => throwing()],
  ['makes no text of them', () => [1, 2]],
])('an app whose formatter of stacks %s: no call site, and the app goes on', (_, prepare) => {
  const { stackTraceLimit } = Error
  withStacks(prepare)
  expect(captureCallSite()).toBeUndefined()
  expect(Error.stackTraceLimit).toBe(stackTraceLimit)
})

test("the app's nearest frame is the call site", () => {
  const file = fileURLToPath(new URL('../../../app/src/orders.ts', import.meta.url))
  withStacks(
    () =>
      `Error\n    at query (node:internal/db:1:1)\n    at loadOrders (${file}:12:7)\n    at main (${file}:1:1)`,
  )
  expect(captureCallSite()).toMatchObject({ functionName: 'loadOrders', lineNumber: 12 })
})

function throwing(): never {
  throw new Error('a fault of the app')
}
