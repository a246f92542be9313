import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** SPDX ids that may be installed beside Apache-2.0 code; an expression passes when one alternative, or all of its parts, do. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  'Python-2.0',
  'Unlicense',
  'W3C-20150513',
  'Zlib',
])

/** Packages whose manifest has no usable licence field; each was read by a person, with what its licence file says. */
const readByHand: Record<string, string> = {}

function passes(expression: string): boolean {
  const bare = expression.replace(/[()]/g, ' ').trim()
  if (/\sOR\s/i.test(bare)) return bare.split(/\sOR\s/i).some(passes)
  if (/\sAND\s/i.test(bare)) return bare.split(/\sAND\s/i).every(passes)
  return allowed.has(bare)
}

test('every package of the lockfile has a licence from the allow-list', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const wrong: string[] = []
  let seen = 0
  for (const [path, entry] of Object.entries<{ license?: string; link?: boolean }>(lock.packages)) {
    if (!path.includes('node_modules/') || entry.link) continue
    const manifestPath = join(root, path, 'package.json')
    const manifest = existsSync(manifestPath) ? JSON.parse(readFileSync(manifestPath, 'utf8')) : undefined
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
    const field = entry.license ?? manifest?.license ?? manifest?.licenses?.[0]?.type
    const licence = readByHand[name] ?? (typeof field === 'object' ? field?.type : field)
    seen++
    if (!licence || !passes(licence)) wrong.push(`${name}: ${licence ?? 'none'}`)
  }
  expect(seen).toBeGreaterThan(100)
  expect(wrong).toEqual([])
})

test('the lockfile names no registry host', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "https?:/)
})
