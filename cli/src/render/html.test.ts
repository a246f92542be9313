import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { hostile, hostileReport, nPlusOneTrace, reportOf, spanOf } from '../testing/reports.ts'
import { buildWaterfall } from '../trace/waterfall.ts'
import { renderHtml } from './html.ts'
import { renderTraceHtml } from './html-waterfall.ts'

const between = (text: string, from: string, to: string): string => text.split(from)[1]?.split(to)[0] ?? ''
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

test('one file: no request can leave it, its own style and script are allowed by hash', () => {
  const html = renderHtml(reportOf(), { traces: nPlusOneTrace(47) })
  const policy = between(html, 'http-equiv="Content-Security-Policy" content="', '"')
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain(hashOf(between(html, '<style>', '</style>')))
  expect(policy).toContain(hashOf(between(html, '<script>', '</script>')))
  expect(policy).not.toMatch(/unsafe|https?:|connect-src/)
  expect(html).not.toMatch(/\ssrc=|url\(|@import|\sstyle=|\son[a-z]+=/)
  const addresses = [...html.matchAll(/href="([^"]*)"/g)].map((match) => match[1]!)
  expect(addresses.every((address) => address.startsWith('#') || address === 'data:,')).toBe(true)
})

test('the live page may ask its own origin and nobody else', () => {
  const html = renderHtml(reportOf(), { liveDigest: 'abc' })
  const policy = between(html, 'http-equiv="Content-Security-Policy" content="', '"')
  expect(policy).toContain("connect-src 'self'")
  expect(policy).toContain(hashOf(between(html, '<script>', '</script>')))
  expect(html).toContain('<a href="/traces/77777777777777777777777777777771">')
})

test.each(Object.entries(hostile))('hostile names (%s) come out as text', (_kind, text) => {
  const span = spanOf({
    spanId: 'a',
    traceId: text,
    name: text,
    service: text,
    attributes: { 'db.query.text': text },
  })
  const pages = [
    renderHtml(hostileReport(text), { traces: [span], liveDigest: text }),
    renderTraceHtml(buildWaterfall([span])),
  ]
  for (const html of pages) {
    const outside = html.replace(/<script>[\s\S]*?<\/script>/, '').replace(/<style>[\s\S]*?<\/style>/, '')
    expect(outside).not.toMatch(/<script|<img|<b>/i)
    // Inside a tag, no attribute but those that the page writes itself.
    for (const [, attributes = ''] of outside.matchAll(
      /<[a-z0-9]+((?:\s+[^\s=>]+(?:="[^"]*")?)*)\s*\/?>/gi,
    )) {
      expect(attributes.replace(/="[^"]*"/g, '=')).not.toMatch(/\s(on\w+|src|style)=/i)
    }
    expect(html).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  }
})

test('a finding shows its example trace as a waterfall with the folded calls', () => {
  const html = renderHtml(reportOf(), { traces: nPlusOneTrace(47) })
  expect(html).toContain('45 more x SELECT reviews')
  expect(html.match(/<rect /g)?.length).toBeGreaterThan(3)
})

test('light and dark, screen and paper', () => {
  const html = renderHtml(reportOf())
  expect(html).toContain('prefers-color-scheme:dark')
  expect(html).toContain('@media print')
  expect(html).toContain('name="viewport"')
})
