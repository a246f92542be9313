import { expect, test } from 'vitest'
import { head, readHead } from './raw-headers.ts'

test('headers are found by their names in any case; the first one counts, lists are joined', () => {
  readHead([
    ...['Host', 'a', 'host', 'b', 'X-Forwarded-For', '1', 'x-forwarded-for', '2'],
    ...['Tracestate', 'k=1', 'tracestate', 'l=2', 'TRACEPARENT', 't', 'baggage', 'c=1', 'User-Agent', 'curl'],
  ])
  expect(head).toEqual({
    host: 'a',
    userAgent: 'curl',
    forwardedFor: '1',
    traceParent: 't',
    traceState: 'k=1,l=2',
    baggage: 'c=1',
    fromBrowser: false,
  })
})

test('names of the same length are not taken for each other, and nothing stays from the head before', () => {
  readHead(['[ost', 'x', 'x-agent-of', 'y', 'sec-fetch-mode', 'cors'])
  expect(head).toEqual({ fromBrowser: false })
})

test.each([
  [['User-Agent', 'Mozilla/5.0'], true],
  [['Sec-Fetch-Site', 'same-origin'], true],
  [['user-agent', 'node'], false],
])('%j: from a browser %s', (raw, fromBrowser) => {
  readHead(raw)
  expect(head.fromBrowser).toBe(fromBrowser)
})
