import { expect, test } from 'vitest'
import { faultNames, formatFaults, parseFaults, UnknownFaultError } from './faults.ts'

test('no fault is on unless it is named', () => {
  expect([...parseFaults(undefined)]).toEqual([])
  expect([...parseFaults('')]).toEqual([])
  expect([...parseFaults(' n-plus-one , small-pool,')]).toEqual(['n-plus-one', 'small-pool'])
})

test('all means every one, and the printed form reads back', () => {
  expect([...parseFaults('all')]).toEqual([...faultNames])
  expect(formatFaults(parseFaults('small-pool,missing-index'))).toBe('missing-index,small-pool')
})

test('an unknown name is refused with the valid ones', () => {
  expect(() => parseFaults('n-plus-one,n-plus-two')).toThrow(UnknownFaultError)
  expect(() => parseFaults('n-plus-two')).toThrow(/"n-plus-two".*all, missing-index, n-plus-one/)
})
