import { encodeTraces, type KeyValue, type Span, type TracesData } from '../../otlp/dist/index.js'
import { Random } from './random.ts'

/**
 * A request of a shop over four services: server spans, internal steps, queries, calls; one trace in eight repeats a query for each
 * row. 16 spans on average; 14 attributes on each resource, 3 to 10 on each span.
 */
export const servicesOfLoad = ['web-gateway', 'catalog', 'orders', 'payments'] as const

const text = (key: string, value: string): KeyValue => ({ key, value })
const whole = (key: string, value: number): KeyValue => ({ key, value: BigInt(value) })

function resourceOf(service: string): KeyValue[] {
  return [
    text('service.name', service),
    text('service.version', '2026.11.3'),
    text('service.instance.id', `${service}-7c9f8d6b5-x2x9q`),
    text('service.namespace', 'shop'),
    text('deployment.environment.name', 'production'),
    text('host.name', 'ip-10-0-12-34.eu-central-1.compute.internal'),
    text('host.arch', 'amd64'),
    text('os.type', 'linux'),
    whole('process.pid', 4711),
    text('process.runtime.name', 'nodejs'),
    text('process.runtime.version', '24.21.0'),
    text('telemetry.sdk.name', 'opentelemetry'),
    text('telemetry.sdk.language', 'nodejs'),
    text('telemetry.sdk.version', '2.4.0'),
  ]
}

export const routes = Array.from(
  { length: 24 },
  (_, i) => `/api/v1/${['products', 'orders', 'carts'][i % 3]}/area${i}/:id`,
)
const tables = ['products', 'reviews', 'prices', 'stock', 'users', 'carts', 'order_items', 'payments']

/** What is filled in anew for every body: ids, times and numbers inside texts. */
export interface Slots {
  /** Offset of 16 bytes, number of the trace. */
  readonly traceIds: readonly (readonly [number, number])[]
  /** Offset of 8 bytes, number of the span. */
  readonly spanIds: readonly (readonly [number, number])[]
  /** Offset of start and of end, and number of the trace and of the span. */
  readonly times: readonly (readonly [start: number, end: number, trace: number, span: number])[]
  /** Offsets of eight digits. */
  readonly digits: readonly number[]
}

export interface Template {
  readonly bytes: Buffer
  readonly slots: Slots
  readonly traces: number
  readonly spans: number
  /** Of each span: ns behind the trace's start, and how long it usually takes. */
  readonly offsetsNs: Float64Array
  readonly mediansNs: Float64Array
}

interface Made {
  readonly service: number
  readonly span: Span
}

const id = (value: number, digits: number, mark: string) =>
  mark.repeat(digits).slice(0, digits - 8) + value.toString(16).padStart(8, '0')
const startMark = 0x5a5a_0000_0000_0000n
const endMark = 0x6b6b_0000_0000_0000n

/** One body of so many traces, with marks where the changing parts stand. */
export function makeTemplate(seed: number, traces: number): Template {
  const random = new Random(seed)
  const made: Made[] = []
  const offsets: number[] = []
  const medians: number[] = []
  const traceOf: number[] = []
  let digits = 0
  const number = () => `@${String(digits++).padStart(7, '0')}`
  const add = (
    trace: number,
    service: number,
    parent: number,
    name: string,
    kind: Span['kind'],
    offsetNs: number,
    medianNs: number,
    attributes: KeyValue[],
    failed = false,
  ): number => {
    const n = made.length
    const span: Span = {
      traceId: id(trace, 32, 'e7'),
      spanId: id(n, 16, 'd3'),
      parentSpanId: parent < 0 ? '' : id(parent, 16, 'd3'),
      traceState: '',
      flags: 0x101,
      name,
      kind,
      startTimeUnixNano: startMark + BigInt(n),
      endTimeUnixNano: endMark + BigInt(n),
      attributes,
      droppedAttributesCount: 0,
      events: [],
      droppedEventsCount: 0,
      links: [],
      droppedLinksCount: 0,
      status: failed ? { code: 2, message: 'upstream timed out' } : { code: 0, message: '' },
    }
    made.push({ service, span })
    offsets.push(offsetNs)
    medians.push(medianNs)
    traceOf.push(trace)
    return n
  }
  const server = (trace: number, service: number, parent: number, route: string, at: number, ns: number) =>
    add(
      trace,
      service,
      parent,
      `GET ${route}`,
      2,
      at,
      ns,
      [
        text('http.request.method', 'GET'),
        text('http.route', route),
        text('url.path', route.replace(':id', number())),
        text('url.scheme', 'https'),
        text('server.address', 'shop.example.com'),
        whole('server.port', 443),
        text('client.address', `10.1.${random.below(250)}.${random.below(250)}`),
        text('user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0'),
        whole('http.response.status_code', random.below(50) === 0 ? 500 : 200),
        text('enduser.id', `u-${number()}`),
      ],
      random.below(50) === 0,
    )
  const query = (trace: number, service: number, parent: number, table: string, at: number) =>
    add(trace, service, parent, `SELECT ${table}`, 3, at, 2_000_000, [
      text('db.system.name', 'postgresql'),
      text('db.namespace', 'shop'),
      text('db.query.text', `SELECT id, name, price, updated_at FROM ${table} WHERE id = $1 AND tenant = $2`),
      text('db.query.summary', `SELECT ${table}`),
      text('db.operation.name', 'SELECT'),
      whole('db.response.returned_rows', random.below(40)),
      text('server.address', 'db-1.shop.internal'),
    ])
  for (let trace = 0; trace < traces; trace++) {
    const route = routes[random.below(routes.length)]!
    const root = server(trace, 0, -1, route, 0, 80_000_000)
    const step = add(trace, 0, root, 'middleware session', 1, 500_000, 400_000, [
      text('code.function.name', 'loadSession'),
      text('code.file.path', 'src/session.ts'),
      whole('code.line.number', 48),
    ])
    query(trace, 0, step, 'users', 600_000)
    for (let call = 0; call < 2; call++) {
      const service = 1 + random.below(3)
      const at = 3_000_000 + call * 30_000_000
      const client = add(trace, 0, root, 'GET', 3, at, 25_000_000, [
        text('http.request.method', 'GET'),
        text('url.full', `http://${servicesOfLoad[service]}.shop.internal/internal/items/${number()}`),
        text('server.address', `${servicesOfLoad[service]}.shop.internal`),
        whole('server.port', 8080),
        whole('http.response.status_code', 200),
      ])
      const answer = server(
        trace,
        service,
        client,
        `/internal/${servicesOfLoad[service]}/:id`,
        at + 400_000,
        24_000_000,
      )
      const repeats = trace % 8 === 0 && call === 0 ? 14 : 2 + random.below(3)
      const table = tables[random.below(tables.length)]!
      for (let i = 0; i < repeats; i++)
        query(
          trace,
          service,
          answer,
          repeats > 5 ? table : tables[random.below(tables.length)]!,
          at + 1_000_000 + i * 2_300_000,
        )
      add(trace, service, answer, 'serialize', 1, at + 20_000_000, 300_000, [
        text('code.function.name', 'toJson'),
        text('code.file.path', 'src/serialize.ts'),
        whole('code.line.number', 12),
        whole('hotspan.items', random.below(100)),
      ])
    }
  }
  const data: TracesData = {
    resourceSpans: servicesOfLoad.map((service, i) => ({
      resource: { attributes: resourceOf(service), droppedAttributesCount: 0 },
      schemaUrl: '',
      scopeSpans: [
        {
          scope: {
            name: '@opentelemetry/instrumentation-http',
            version: '0.210.0',
            attributes: [],
            droppedAttributesCount: 0,
          },
          schemaUrl: '',
          spans: made.filter(({ service: of }) => of === i).map(({ span }) => span),
        },
      ],
    })),
  }
  const bytes = Buffer.from(encodeTraces(data))
  return {
    bytes,
    slots: findSlots(bytes, traces, made.length, digits, traceOf),
    traces,
    spans: made.length,
    offsetsNs: Float64Array.from(offsets),
    mediansNs: Float64Array.from(medians),
  }
}

function findSlots(
  bytes: Buffer,
  traces: number,
  spans: number,
  digits: number,
  traceOf: readonly number[],
): Slots {
  const all = (pattern: Buffer): number[] => {
    const found: number[] = []
    for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) found.push(at)
    return found
  }
  const range = (n: number) => Array.from({ length: n }, (_, i) => i)
  const fixed = (value: bigint) => {
    const buffer = Buffer.alloc(8)
    buffer.writeBigUInt64LE(value)
    return bytes.indexOf(buffer)
  }
  return {
    traceIds: range(traces).flatMap((n) =>
      all(Buffer.from(id(n, 32, 'e7'), 'hex')).map((at) => [at, n] as const),
    ),
    spanIds: range(spans).flatMap((n) =>
      all(Buffer.from(id(n, 16, 'd3'), 'hex')).map((at) => [at, n] as const),
    ),
    times: range(spans).map(
      (n) => [fixed(startMark + BigInt(n)), fixed(endMark + BigInt(n)), traceOf[n]!, n] as const,
    ),
    digits: range(digits).map((n) => bytes.indexOf(`@${String(n).padStart(7, '0')}`)),
  }
}
