import { describe, expect, test } from 'vitest'
import { expandMacros, MacroError, variablesIn } from './macros.ts'

const scope = {
  fromMs: Date.UTC(2026, 10, 21, 10),
  toMs: Date.UTC(2026, 10, 21, 11) + 999,
  intervalSec: 30,
  variables: {
    service: "o'neill api",
    route: ['GET /a', 'GET /b'],
    every: { allOf: ['x', 'y'] },
    empty: '',
    database: 'hotspan_default',
  },
}
const expand = (sql: string) => expandMacros(sql, scope)
const from = Math.floor(scope.fromMs / 1000)
const to = Math.floor(scope.toMs / 1000)

describe('time macros', () => {
  test('as the plugin writes them', () => {
    expect(expand('$__timeFilter(Timestamp)')).toBe(
      `Timestamp >= toDateTime(${from}) AND Timestamp <= toDateTime(${to})`,
    )
    expect(expand('$__timeFilter_ms(t)')).toBe(
      `t >= fromUnixTimestamp64Milli(${scope.fromMs}) AND t <= fromUnixTimestamp64Milli(${scope.toMs})`,
    )
    expect(expand('$__dateFilter(d)')).toBe("d >= toDate('2026-11-21') AND d <= toDate('2026-11-21')")
    expect(expand('$__dateTimeFilter(d, t)')).toBe(expand('$__dt(d, t)'))
    expect(expand('$__timeInterval(t)')).toBe('toStartOfInterval(toDateTime(t), INTERVAL 30 second)')
    expect(expand('$__timeInterval_ms(t)')).toBe(
      'toStartOfInterval(toDateTime64(t, 3), INTERVAL 30000 millisecond)',
    )
    expect(expand('$__interval_s, $__fromTime, $__toTime')).toBe(`30, toDateTime(${from}), toDateTime(${to})`)
    expect(expandMacros('$__interval_s', { ...scope, intervalSec: 0.2 })).toBe('1')
  })

  test('arguments keep their parentheses, quotes and commas', () => {
    expect(expand("$__timeFilter(coalesce(a, toDateTime('),(')))")).toContain(
      "coalesce(a, toDateTime('),(')) >= toDateTime(",
    )
  })

  test('what Grafana could not expand is refused with its name', () => {
    expect(() => expand('$__timeFilter()')).toThrow(/timeFilter takes 1 arguments, got 0/)
    expect(() => expand('$__nope(t)')).toThrow('$__nope is not a macro')
    expect(() => expand('$__timeFilter(t')).toThrow(MacroError)
  })
})

describe('variables', () => {
  test('formats', () => {
    const route = (format: string) => expand(`\${route${format}}`)
    expect(expand('$database.t, `$' + '{database}`.t')).toBe('hotspan_default.t, `hotspan_default`.t')
    expect(route('')).toBe('{GET /a,GET /b}')
    expect(route(':csv')).toBe('GET /a,GET /b')
    expect(route(':singlequote')).toBe("'GET /a','GET /b'")
    expect(route(':doublequote')).toBe('"GET /a","GET /b"')
    expect(expand('$' + '{service:singlequote}')).toBe("'o\\'neill api'")
    expect(expand('$' + '{service:sqlstring}')).toBe("'o''neill api'")
    expect(() => route(':yaml')).toThrow('format yaml')
    expect(() => expand('$unknown')).toThrow('variable $unknown is not defined; there are service')
  })

  test('$__conditionalAll keeps its condition unless everything is chosen', () => {
    expect(expand('$__conditionalAll(r IN ($' + '{route:singlequote}), $route)')).toBe(
      "r IN ('GET /a','GET /b')",
    )
    expect(expand('$__conditionalAll(r IN (1, 2), $every)')).toBe('1=1')
    expect(expand('$__conditionalAll(r = 1, $empty)')).toBe('1=1')
    expect(() => expand('$__conditionalAll(r = 1)')).toThrow('takes a condition and a variable')
    expect(() => expand('$__conditionalAll(r = 1, 5)')).toThrow('5 is not a variable')
  })

  test("are found, Grafana's own left out", () => {
    const text = '$a $' + '{b:singlequote} $' + '{__field.labels.c} $__timeFilter(d) $' + '{__value.raw}'
    expect([...variablesIn(text)]).toEqual(['a', 'b'])
  })
})
