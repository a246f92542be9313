import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { lintDashboard } from './lint.ts'
import { provisioning } from './provisioning.ts'
import { toYaml } from './yaml.ts'

const files = provisioning({
  clickHouseUrl: 'https://clickhouse.example.com/proxy',
  database: 'hotspan_shop',
  folder: 'Shop',
  alerts: [
    { service: 'shop-api', p95Ms: 300 },
    { service: "o'neill: #1 – very long name of a service that goes on" },
  ],
})

describe('provisioning', () => {
  test('names the files that Grafana looks for', () => {
    expect(Object.keys(files)).toEqual([
      'provisioning/datasources/hotspan.yaml',
      'provisioning/dashboards/hotspan.yaml',
      'dashboards/Shop/service.json',
      'provisioning/alerting/hotspan.yaml',
    ])
    expect(Object.keys(provisioning())).toHaveLength(3)
    for (const [path, content] of Object.entries(files)) {
      if (path.endsWith('.yaml')) expect(parse(content).apiVersion).toBe(1)
    }
  })

  test('the data source holds address and tables, and no password', () => {
    const [source] = parse(files['provisioning/datasources/hotspan.yaml']!).datasources
    expect(source).toMatchObject({
      uid: 'hotspan-clickhouse',
      type: 'grafana-clickhouse-datasource',
      jsonData: {
        host: 'clickhouse.example.com',
        port: 443,
        protocol: 'http',
        secure: true,
        path: '/proxy',
        defaultDatabase: 'hotspan_shop',
      },
      secureJsonData: { password: '$HOTSPAN_CLICKHOUSE_PASSWORD' },
    })
    expect(source.jsonData.traces.defaultTable).toBe('otel_traces')
    expect(() => provisioning({ clickHouseUrl: 'nonsense' })).toThrow(TypeError)
    expect(
      parse(provisioning()['provisioning/datasources/hotspan.yaml']!).datasources[0].jsonData,
    ).toMatchObject({ host: '127.0.0.1', port: 8123, secure: false })
  })

  test('the dashboard file is the dashboard', () => {
    expect(lintDashboard(JSON.parse(files['dashboards/Shop/service.json']!))).toEqual([])
    expect(parse(files['provisioning/dashboards/hotspan.yaml']!).providers[0]).toMatchObject({
      type: 'file',
      options: { foldersFromFilesStructure: true },
    })
  })

  test("the rules are in the form of files: folder by title, durations as text, a condition that is one of the rule's queries", () => {
    const { groups } = parse(files['provisioning/alerting/hotspan.yaml']!)
    expect(groups).toHaveLength(2)
    const uids = new Set<string>()
    for (const group of groups) {
      expect(group).toMatchObject({ orgId: 1, folder: 'Shop', interval: '60s' })
      for (const rule of group.rules) {
        expect(rule.uid).toMatch(/^[a-zA-Z0-9_-]{1,40}$/)
        uids.add(rule.uid)
        expect(rule.data.map(({ refId }: { refId: string }) => refId)).toContain(rule.condition)
        for (const query of rule.data) {
          expect(query.model.refId).toBe(query.refId)
          expect(query.relativeTimeRange).toEqual({ from: 600, to: 0 })
        }
        // Grafana replaces environment variables in every text but the model and the annotations.
        expect(JSON.stringify({ ...rule, data: [], annotations: {} })).not.toContain('$')
      }
    }
    expect(uids.size).toBe(4)
    expect(groups[0].rules[0].data[1].model.conditions[0].evaluator).toEqual({ type: 'gt', params: [300] })
  })
})

describe('YAML', () => {
  test('reads back as what it was', () => {
    const value = {
      a: [],
      b: {},
      c: [{ d: 'x: #y\n"z"', e: [1, true, null] }, 'plain'],
      'odd key!': '',
      f: { g: { h: [[1], [2]] } },
    }
    expect(parse(toYaml(value))).toEqual(value)
    expect(toYaml({ a: undefined, b: 1 })).toBe('b: 1\n')
  })
})
