import * as incubating from '@opentelemetry/semantic-conventions/incubating'
import { describe, expect, test } from 'vitest'
import { attr, dialects, hotspanAttribute, normaliseAttributes, sqlCoalesce } from './index.ts'

const published = new Set<string>(
  Object.entries(incubating)
    .filter(([key]) => /^(ATTR|EVENT)_/.test(key))
    .map(([, value]) => String(value)),
)
const camel = (name: string) => name.replace(/[._](.)/g, (_, letter: string) => letter.toUpperCase())

describe('names', () => {
  test('every convention name exists in the published package and is spelled after itself', () => {
    for (const [key, name] of Object.entries(attr)) {
      expect(published, name).toContain(name)
      if (!key.startsWith('event')) expect(key).toBe(camel(name))
    }
  })

  test('names of our own are unique and not conventions, with unit and meaning', () => {
    const names = Object.values(hotspanAttribute).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, unit, meaning } of Object.values(hotspanAttribute)) {
      expect(name.startsWith('hotspan.') || published.has(name), name).toBe(true)
      expect(unit).not.toBe('')
      expect(meaning).not.toBe('')
    }
  })

  test('every dialect row leads to a current name of ours from a name that is another', () => {
    const current = new Set<string>(Object.values(attr))
    for (const row of dialects) {
      expect(current, row.current).toContain(row.current)
      expect(row.old).not.toBe(row.current)
      expect(row.take ?? '', 'must be writable in SQL as it is').not.toMatch(/['\\]/)
      if (row.take !== undefined)
        expect(new RegExp(`${row.take}|`).exec('')!.length, 'exactly one capturing group').toBe(2)
    }
  })
})

describe('normalising', () => {
  test('old names become current ones, what is unknown stays', () => {
    expect(
      normaliseAttributes({
        'http.method': 'GET',
        'http.status_code': '404',
        'http.target': '/cart?a=1&b=2#top',
        'net.transport': 'ip_tcp',
        'db.system': 'mssql',
        'code.namespace': 'Cart',
        'code.function': 'add',
        'my.own': 'kept',
      }),
    ).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': '404',
      'url.path': '/cart',
      'url.query': 'a=1&b=2',
      'network.transport': 'tcp',
      'db.system.name': 'microsoft.sql_server',
      'code.function.name': 'Cart.add',
      'my.own': 'kept',
    })
  })

  test('a value that is not in the unit of the current name is not mapped', () => {
    const odd = {
      'http.status_code': '200 OK',
      'net.peer.port': '70000',
      'http.response_content_length': '1.5 kB',
    }
    expect(normaliseAttributes(odd, { kind: 'client' })).toEqual(odd)
  })

  test('the current name wins, and rows of a kind hold for that kind only', () => {
    expect(normaliseAttributes({ 'db.statement': 'old', 'db.query.text': 'new' })).toEqual({
      'db.query.text': 'new',
    })
    expect(normaliseAttributes({ 'net.peer.name': 'db' }, { kind: 'client' })).toEqual({
      'server.address': 'db',
    })
    expect(normaliseAttributes({ 'net.peer.name': 'db' }, { kind: 'server' })).toEqual({
      'net.peer.name': 'db',
    })
    expect(normaliseAttributes({ 'deployment.environment': 'prod' })).toEqual({
      'deployment.environment': 'prod',
    })
    expect(normaliseAttributes({ 'deployment.environment': 'prod' }, { on: 'resource' })).toEqual({
      'deployment.environment.name': 'prod',
    })
  })
})

describe('the SQL of the same table', () => {
  test('its shape, by the kind of row', () => {
    expect(sqlCoalesce('http.route')).toBe("SpanAttributes['http.route']")
    expect(sqlCoalesce('db.query.text')).toBe(
      "coalesce(nullIf(SpanAttributes['db.query.text'], ''), nullIf(SpanAttributes['db.statement'], ''), '')",
    )
    expect(sqlCoalesce('http.response.status_code')).toContain(
      "extract(SpanAttributes['http.status_code'], '^([1-5][0-9]{2})$')",
    )
    expect(sqlCoalesce('server.address')).toContain(
      "if(SpanKind = 'Client', SpanAttributes['net.peer.name'], '')",
    )
    expect(sqlCoalesce('deployment.environment.name', 'resource')).toContain(
      "ResourceAttributes['deployment.environment']",
    )
  })

  test('every row of the table is in the expression of its current name, in order', () => {
    for (const current of new Set(dialects.map((row) => row.current))) {
      for (const on of ['span', 'resource'] as const) {
        const rows = dialects.filter((row) => row.current === current && (row.on ?? 'span') === on)
        const sql = sqlCoalesce(current, on)
        const places = [current, ...rows.map((row) => row.old)].map((name) => sql.indexOf(`['${name}']`))
        expect(places).not.toContain(-1)
        expect(places).toEqual([...places].sort((a, b) => a - b))
        expect(sql.split('(').length).toBe(sql.split(')').length)
      }
    }
  })
})
