import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The folders of the packages and the packages of ours that each may import: source -> span -> store -> finding -> report. Debt: none. */
const mayImport: Record<string, { folder: string; may: readonly string[] }> = {
  '@hotspan/otlp': { folder: 'otlp', may: [] },
  '@hotspan/agent': { folder: 'agent', may: ['@hotspan/otlp'] },
  '@hotspan/browser': { folder: 'browser-sdk', may: ['@hotspan/otlp'] },
  '@hotspan/collector': { folder: 'collector', may: ['@hotspan/otlp'] },
  '@hotspan/loadtests': { folder: 'loadtests', may: ['@hotspan/otlp', '@hotspan/collector'] },
  '@hotspan/analyzers': {
    folder: 'analyzers',
    may: ['@hotspan/otlp', '@hotspan/collector', '@hotspan/loadtests'],
  },
  '@hotspan/dashboards': {
    folder: 'dashboards/grafana',
    may: ['@hotspan/otlp', '@hotspan/collector', '@hotspan/loadtests', '@hotspan/analyzers'],
  },
  hotspan: {
    folder: 'cli',
    may: [
      '@hotspan/otlp',
      '@hotspan/agent',
      '@hotspan/collector',
      '@hotspan/loadtests',
      '@hotspan/analyzers',
      '@hotspan/dashboards',
    ],
  },
  '@hotspan/example-shop': { folder: 'examples/shop', may: ['@hotspan/agent', '@hotspan/browser'] },
  '@hotspan/example-demo': {
    folder: 'examples/demo',
    may: [
      '@hotspan/example-shop',
      '@hotspan/collector',
      '@hotspan/loadtests',
      '@hotspan/analyzers',
      'hotspan',
    ],
  },
}

const ours = /(?:from\s+|import\s*\(\s*|import\s+)['"](hotspan|@hotspan\/[a-z-]+)(?:\/[^'"]*)?['"]/g
const relative = /(?:from\s+|import\s*\(\s*|import\s+)['"](\.\.?\/[^'"]+)['"]/g

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|tsx|mts)$/.test(path) && !/(^|\/)(node_modules|dist)\//.test(path))
    .map((path) => join(folder, path))
}

const isTest = (path: string): boolean => /\.test\.tsx?$|\/testing\//.test(path)

describe('import direction', () => {
  for (const [name, { folder, may }] of Object.entries(mayImport)) {
    test(`${name} imports only from those above it`, () => {
      const wrong: string[] = []
      for (const path of sources(folder)) {
        const text = readFileSync(join(root, path), 'utf8')
        for (const [, imported] of text.matchAll(ours))
          if (imported !== name && !may.includes(imported!) && !isTest(path))
            wrong.push(`${path} imports ${imported}`)
        // A relative path that leaves its package goes around the door.
        for (const [, target] of text.matchAll(relative)) {
          const depth = path.slice(folder.length + 1).split('/').length - 1
          const ups = target!.split('/').filter((part) => part === '..').length
          if (ups > depth) wrong.push(`${path} leaves its package: ${target}`)
        }
      }
      expect(wrong).toEqual([])
    })
  }

  test('package.json names what the sources import, and nothing that is not allowed', () => {
    const wrong: string[] = []
    for (const [name, { folder, may }] of Object.entries(mayImport)) {
      const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      const declared = Object.keys({ ...manifest.dependencies }).filter((key) =>
        /^(@hotspan\/|hotspan$)/.test(key),
      )
      for (const dependency of declared)
        if (!may.includes(dependency)) wrong.push(`${name} declares ${dependency}`)
    }
    expect(wrong).toEqual([])
  })

  test('every package of the repository stands in the table', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const folders = manifest.workspaces.filter((folder: string) => folder !== 'tests')
    expect(folders.sort()).toEqual(
      Object.values(mayImport)
        .map(({ folder }) => folder)
        .sort(),
    )
  })
})
