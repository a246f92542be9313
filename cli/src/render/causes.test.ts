import type { Finding } from '@hotspan/analyzers'
import { expect, test } from 'vitest'
import { findingOf, reportOf } from '../testing/reports.ts'
import { causesOf } from './causes.ts'
import { renderHtml } from './html.ts'
import { renderMarkdown } from './markdown.ts'
import { renderText } from './text.ts'

const inSearch = findingOf({
  id: 'HS-222222222222',
  operation: 'GET /search',
  saving: {
    perRequestMs: { value: 131, low: 91, high: 162 },
    affectedRequestsPerDay: 7_001,
    shareRatio: 0.41,
  },
})
const elsewhere = findingOf({ id: 'HS-333333333333', location: { file: 'api/src/products.ts', line: 49 } })
const report = reportOf({ findings: [findingOf(), elsewhere, inSearch] })

test('findings of the same lines are one cause, in the order of its first', () => {
  const ids = (findings: readonly Finding[]) => findings.map(({ id }) => id)
  expect(causesOf(report.findings).map(({ lead, alike }) => [lead.id, ids(alike)])).toEqual([
    ['HS-0a1b2c3d4e5f', ['HS-222222222222']],
    ['HS-333333333333', []],
  ])
})

test('without file and line nothing is taken for the same', () => {
  const placeless = [
    findingOf({ location: { function: 'load' } }),
    findingOf({ id: 'HS-2', location: { function: 'load' } }),
  ]
  expect(causesOf(placeless)).toHaveLength(2)
})

test('every format counts causes and names the other operations', () => {
  const also = 'also in GET /search: saves 131 ms (91-162), 41 % of the time'
  const brief = renderText(report, { brief: true })
  expect(brief).toContain('3 findings with 2 causes')
  expect(brief).toContain(also)
  expect(brief).not.toContain('HS-222222222222')
  expect(renderHtml(report)).toContain(also)
  expect(renderMarkdown(report)).toContain('`GET /products`<br>`GET /search`')
})
