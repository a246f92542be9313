import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { readSettings } from './settings.ts'
import { AGENT_VERSION } from './version.ts'

describe('settings', () => {
  test('defaults', () => {
    const settings = readSettings({}, {})
    expect(settings).toMatchObject({
      enabled: true,
      service: undefined,
      delayMs: 1000,
      callSites: false,
      profile: false,
      serverTiming: true,
      complaints: [],
      endpoint: { timeoutMs: 10_000, gzip: false, headers: {} },
      limits: { attributes: 128, events: 128, links: 128 },
      queue: { batchSpans: 2048 },
    })
    expect(settings.endpoint.url.href).toBe('http://127.0.0.1:4318/v1/traces')
  })

  test('OTEL_* variables', () => {
    const settings = readSettings(
      {},
      {
        OTEL_SERVICE_NAME: 'shop',
        OTEL_RESOURCE_ATTRIBUTES: 'service.version=1.2,deployment.environment.name=a%2Cb,service.name=no',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otlp.example.org/base/',
        OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20x,b=2',
        OTEL_EXPORTER_OTLP_TIMEOUT: '2500',
        OTEL_TRACES_SAMPLER: 'traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.5',
        OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '10',
        OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '100',
        OTEL_SPAN_EVENT_COUNT_LIMIT: '3',
        OTEL_SPAN_LINK_COUNT_LIMIT: '4',
      },
    )
    expect(settings.endpoint.url.href).toBe('https://otlp.example.org/base/v1/traces')
    expect(settings).toMatchObject({
      service: 'shop',
      resource: { 'service.version': '1.2', 'deployment.environment.name': 'a,b' },
      endpoint: { headers: { authorization: 'Bearer x', b: '2' }, timeoutMs: 2500, gzip: true },
      sampler: { traceState: 'ot=th:8', parentBased: false },
      limits: { attributes: 10, valueLength: 100, events: 3, links: 4 },
      complaints: [],
    })
  })

  test("the signal's own variables win; options win over all", () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b:2/own/path',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
      OTEL_SERVICE_NAME: 'env',
    }
    expect(readSettings({}, env).endpoint).toMatchObject({ gzip: false })
    expect(readSettings({}, env).endpoint.url.href).toBe('http://b:2/own/path')
    const settings = readSettings({ endpoint: 'http://c:3', service: 'mine', sampleRatio: 0.5 }, env)
    expect(settings.endpoint.url.href).toBe('http://c:3/v1/traces')
    expect(settings.service).toBe('mine')
    expect(settings.sampler).toMatchObject({ traceState: 'ot=th:8', parentBased: true })
  })

  test('what is not understood is said, and the default holds', () => {
    const settings = readSettings(
      {},
      {
        OTEL_EXPORTER_OTLP_ENDPOINT: 'nonsense',
        OTEL_EXPORTER_OTLP_TIMEOUT: 'soon',
        OTEL_TRACES_SAMPLER: 'mine',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_RESOURCE_ATTRIBUTES: 'broken',
      },
    )
    expect(settings.endpoint.url.href).toBe('http://127.0.0.1:4318/v1/traces')
    expect(settings.endpoint.timeoutMs).toBe(10_000)
    expect(settings.complaints).toHaveLength(5)
    expect(settings.complaints.join('\n')).toContain(
      "OTEL_EXPORTER_OTLP_TIMEOUT is 'soon'; expected a whole number",
    )
  })

  test('signals: none but spans unless asked for', () => {
    const none = readSettings({}, {})
    expect(none).toMatchObject({
      logs: null,
      metrics: null,
      accounting: false,
      keepSlowMs: null,
      maxTracesPerSec: 0,
    })
    const all = readSettings(
      {},
      {
        OTEL_TRACES_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'otlp',
        OTEL_METRICS_EXPORTER: 'otlp, prometheus,console',
        OTEL_METRIC_EXPORT_INTERVAL: '5000',
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otlp:4318',
        OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'https://logs.example.org/in',
        OTEL_EXPORTER_OTLP_LOGS_HEADERS: 'a=1',
        OTEL_EXPORTER_PROMETHEUS_PORT: '1234',
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'sometimes',
        HOTSPAN_ACCOUNTING: 'cpu',
        HOTSPAN_KEEP_SLOW_MS: '250',
        HOTSPAN_MAX_TRACES_PER_SEC: '10',
      },
    )
    expect(all).toMatchObject({
      sampler: { never: true },
      logs: { endpoint: { headers: { a: '1' }, gzip: true } },
      metrics: { otlp: { intervalMs: 5000 }, prometheus: { host: '127.0.0.1', port: 1234 } },
      accounting: 'cpu',
      keepSlowMs: 250,
      maxTracesPerSec: 10,
    })
    expect(all.logs!.endpoint.url.href).toBe('https://logs.example.org/in')
    expect(all.metrics!.otlp!.endpoint.url.href).toBe('http://otlp:4318/v1/metrics')
    expect(all.complaints).toHaveLength(2)
    expect(all.complaints.join()).toMatch(/console.*sometimes/)
    const given = readSettings({ logs: true, metrics: ['prometheus'], accounting: true, keepSlowMs: 0 }, {})
    expect(given).toMatchObject({
      logs: { delayMs: 1000 },
      metrics: { otlp: null },
      accounting: true,
      keepSlowMs: 0,
    })
  })

  test.each([{ HOTSPAN_DISABLED: '1' }, { OTEL_SDK_DISABLED: 'true' }, { OTEL_SDK_DISABLED: 'TRUE' }])(
    '%o switches everything off',
    (env) => {
      expect(readSettings({}, env).enabled).toBe(false)
    },
  )
})

test('the version is that of the package', () => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  expect(AGENT_VERSION).toBe((JSON.parse(text) as { version: string }).version)
})
