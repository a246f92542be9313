import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { alertRules } from './alert-rules.ts'
import { serviceDashboard } from './service-dashboard.ts'

interface Declarations {
  readonly interfaces: Map<string, Map<string, { readonly type: string; readonly optional: boolean }>>
  readonly enums: Map<string, Set<string | number>>
}

const require = createRequire(import.meta.url)

/** Interfaces and enums of one of the SDK's type files: the shape that it says Grafana takes. */
function declarationsOf(part: string): Declarations {
  const entry = require.resolve(`@grafana/grafana-foundation-sdk/${part}`)
  const source = readFileSync(entry.replace(/index\.js$/, 'types.gen.d.ts'), 'utf8')
  const interfaces: Declarations['interfaces'] = new Map()
  const enums: Declarations['enums'] = new Map()
  for (const [, kind, name, body] of source.matchAll(
    /export (?:declare )?(interface|enum) (\w+) \{\n([\s\S]*?)\n\}/g,
  )) {
    if (kind === 'enum') {
      enums.set(
        name!,
        new Set([...body!.matchAll(/= ("[^"]*"|-?\d+)/g)].map((match) => JSON.parse(match[1]!))),
      )
    } else {
      const members = new Map<string, { type: string; optional: boolean }>()
      // Four spaces: members of the interface itself; those of an inline object are indented further and not checked.
      for (const [, key, mark, type] of body!.matchAll(/^ {4}(\w+)(\??): (.*?);?$/gm)) {
        members.set(key!, { type: type!, optional: mark === '?' })
      }
      interfaces.set(name!, members)
    }
  }
  return { interfaces, enums }
}

/** Missing and unknown members and foreign enum values of `value`, read as the interface or enum `type`. */
function mismatches(value: unknown, type: string, known: Declarations, path: string): string[] {
  const base = type.trim()
  if (Array.isArray(value)) {
    const item = base.replace(/\[\]$/, '').replace(/^\((.*)\)$/, '$1')
    return value.flatMap((entry, index) => mismatches(entry, item, known, `${path}[${index}]`))
  }
  const named = base.split('|').map((part) => part.trim().replace(/^\w+\./, ''))
  const values = known.enums.get(named[0]!)
  if (values !== undefined) return values.has(value as string) ? [] : [`${path} is not a ${base}`]
  const members = named
    .map((name) => known.interfaces.get(name))
    .filter((shape) => shape !== undefined)
    // A union of Panel and RowPanel: rows say so themselves.
    .filter((shape, _, all) => all.length === 1 || (shape.get('type')?.type === '"row"') === isRow(value))[0]
  if (members === undefined || typeof value !== 'object' || value === null) return []
  const problems: string[] = []
  for (const [key, { type: memberType, optional }] of members) {
    const member = (value as Record<string, unknown>)[key]
    if (member === undefined) {
      if (!optional) problems.push(`${path}.${key} is missing`)
    } else problems.push(...mismatches(member, memberType, known, `${path}.${key}`))
  }
  for (const key of Object.keys(value)) if (!members.has(key)) problems.push(`${path}.${key} is not known`)
  return problems
}

const isRow = (value: unknown): boolean => (value as { type?: string } | null)?.type === 'row'
const asJson = (value: unknown) => JSON.parse(JSON.stringify(value))

describe("the SDK's own types", () => {
  test('the dashboard has every required member, no unknown one and no foreign enum value', () => {
    const known = declarationsOf('dashboard')
    const board = asJson(serviceDashboard())
    expect(known.interfaces.size).toBeGreaterThan(30)
    expect(mismatches(board, 'Dashboard', known, 'dashboard')).toEqual([])
    delete board.panels[1].type
    board.panels[2].colour = 'red'
    board.templating.list[1].type = 'sql'
    expect(mismatches(board, 'Dashboard', known, 'dashboard')).toEqual([
      'dashboard.panels[1].type is missing',
      'dashboard.panels[2].colour is not known',
    ])
    expect(mismatches(board.templating.list[1], 'VariableModel', known, 'v')).toEqual([
      'v.type is not a VariableType',
    ])
  })

  test('so have the alert rules', () => {
    const known = declarationsOf('alerting')
    expect(mismatches(asJson(alertRules({ service: 'shop-api' })), 'RuleGroup', known, 'group')).toEqual([])
  })
})
