import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { attr, hotspanAttribute } from '@hotspan/otlp'
import { expect, test } from 'vitest'

const source = fileURLToPath(new URL('.', import.meta.url))
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.tsx?$/.test(file) && !file.includes('.test.'),
)

const own = new Set(Object.values(hotspanAttribute).map(({ name }) => name as string))
const conventions = new Set(Object.values(attr).filter((value) => typeof value === 'string') as string[])

/** Names of events, scopes and stored keys, and the prefix that web vitals' attribution gets; not attributes. */
const NOT_ATTRIBUTES = new Set([
  'hotspan.react.profiler',
  'browser.web_vital.',
  'hotspan.react.',
  'hotspan.session',
  'hotspan.chunk.',
  'hotspan.browser',
  'browser.web_vital',
  'hotspan.web_vital.',
  'hotspan.init',
])

test('every attribute is spelled as in @hotspan/otlp', () => {
  const unknown: string[] = []
  let checked = 0
  for (const file of files)
    for (const [, name] of readFileSync(source + file, 'utf8').matchAll(
      /['"`]((?:hotspan|browser|http|url|server|code|exception|error|service|session|telemetry)\.[\w.]+)/g,
    )) {
      if (NOT_ATTRIBUTES.has(name!)) continue
      checked++
      if (!own.has(name!) && !conventions.has(name!)) unknown.push(`${file}: ${name}`)
    }
  expect(unknown).toEqual([])
  expect(checked).toBeGreaterThan(50)
})
