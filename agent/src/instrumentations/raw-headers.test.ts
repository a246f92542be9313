import { expect, test } from 'vitest'
import { rawHeader, rawList } from './raw-headers.ts'

const raw = [
  'Host',
  'a',
  'X-Forwarded-For',
  '1',
  'x-forwarded-for',
  '2',
  'Tracestate',
  'k=1',
  'tracestate',
  'l=2',
]

test('a header is found by its name in any case, the first one', () => {
  expect(rawHeader(raw, 'host')).toBe('a')
  expect(rawHeader(raw, 'x-forwarded-for')).toBe('1')
  expect(rawHeader(raw, 'hosts')).toBeUndefined()
  expect(rawHeader(['[ost', 'x'], '{ost')).toBeUndefined()
  expect(rawHeader([], 'host')).toBeUndefined()
})

test('a list is joined; a single value stays what it is', () => {
  expect(rawList(raw, 'tracestate')).toBe('k=1,l=2')
  expect(rawList(raw, 'host')).toBe('a')
  expect(rawList(raw, 'baggage')).toBeUndefined()
})
