import type { Finding, Report } from '@hotspan/analyzers'
import type { WaterfallSpan } from '../trace/waterfall.ts'

/** Reports written by hand for tests of renderers; figures are arbitrary and prime where they are counts. */
export const traceId = (n: number): string => n.toString(16).padStart(32, '7')

export const findingOf = (over: Partial<Finding> = {}): Finding => ({
  schemaVersion: 1,
  id: 'HS-0a1b2c3d4e5f',
  fingerprint: 'f'.repeat(64),
  kind: 'finding',
  detector: 'n-plus-one',
  title: 'N+1 query',
  severity: 'high',
  confidence: 'likely',
  service: 'shop-api',
  operation: 'GET /products',
  location: {
    route: '/products',
    statement: 'SELECT * FROM reviews WHERE product_id = ?',
    function: 'loadReviews',
    file: 'api/src/products.ts',
    line: 48,
  },
  evidence: [
    { label: 'calls per request', value: 47, unit: '{call}', n: 211, low: 45, high: 49 },
    { label: 'time in the calls', value: 190.25, unit: 'ms', n: 211 },
  ],
  traceIds: [traceId(1), traceId(2), traceId(3)],
  runIds: [],
  saving: {
    perRequestMs: { value: 182, low: 165, high: 198 },
    affectedRequestsPerDay: 90_011,
    shareRatio: 0.76,
  },
  fix: 'load all reviews with one IN list:\nSELECT * FROM reviews WHERE product_id = ANY($1)',
  guards: ['The calls are not pages of a cursor.', 'N grows with the rows.'],
  ...over,
})

export const reportOf = (over: Partial<Report> = {}): Report => ({
  schemaVersion: 1,
  project: 'default',
  generatedAtUnixMs: Date.UTC(2026, 4, 4, 10, 17, 7),
  window: { fromMs: Date.UTC(2026, 4, 4, 10, 2, 0), toMs: Date.UTC(2026, 4, 4, 10, 17, 0) },
  settings: { warmUpSec: 31, minTraces: 5, minMinutes: 3, falseDiscoveryRate: 0.05 },
  coverage: {
    spans: 12_343,
    traces: 811,
    incompleteTraces: 7,
    spansOfUnknownWeight: 11,
    services: [
      { name: 'shop-api', spans: 12_001 },
      { name: 'shop-web', spans: 342 },
    ],
  },
  findings: [
    findingOf(),
    findingOf({
      id: 'HS-111111111111',
      detector: 'wasted-renders',
      title: 'Wasted React renders',
      severity: 'medium',
      confidence: 'proven',
      service: 'shop-web',
      operation: 'interaction click',
      location: { component: 'ProductCard' },
      saving: null,
      evidence: [{ label: 'bytes', value: 1_250_000, unit: 'By', n: 13 }],
      traceIds: [traceId(4), traceId(5), traceId(6)],
      runIds: ['run-20260504T101700-abcd'],
      fix: 'wrap the context value in useMemo',
      guards: ['Not a development build.'],
    }),
  ],
  cannotJudge: [
    findingOf({
      kind: 'cannot-judge',
      detector: 'slow-query',
      title: 'no db.query.text',
      service: 'legacy-api',
      operation: '',
      traceIds: [],
      saving: null,
      evidence: [],
      guards: [],
      fix: 'turn on statements in the tracer',
    }),
  ],
  candidates: [
    {
      detector: 'serial-calls',
      title: 'Serialised independent calls',
      service: 'shop-api',
      operation: 'GET /cart',
      traces: 2,
      minutes: 1,
      reason: 'too few traces',
    },
  ],
  tookMs: 412,
  ...over,
})

/** Names that an attacker would choose: each must come out as text. */
export const hostile = {
  html: `</script><script>alert(1)</script><img src=x onerror="alert(2)">'"&`,
  markdown:
    '](javascript:alert(1)) **bold** `code` ``` | cell @someone #1 <b>x</b> www.example.org http://example.org',
  terminal: '\u001b[2J\u001b]0;title\u0007\u009b31mred\rback\u0008space\u202egnp.exe',
}

export const hostileReport = (text: string): Report =>
  reportOf({
    project: text,
    findings: [
      findingOf({
        id: text,
        title: text,
        detector: text,
        service: text,
        operation: text,
        location: {
          route: text,
          statement: text,
          function: text,
          component: text,
          file: text,
          line: 1,
          model: text,
        },
        evidence: [{ label: text, value: 1, unit: text, n: 3 }],
        fix: `${text}\n${text}`,
        guards: [text],
        traceIds: [text],
        runIds: [text],
      }),
      findingOf({ id: 'second' }),
    ],
    cannotJudge: [
      findingOf({ title: text, service: text, operation: text, detector: text, fix: text, guards: [text] }),
    ],
    candidates: [
      { detector: text, title: text, service: text, operation: text, traces: 1, minutes: 1, reason: text },
    ],
    coverage: { ...reportOf().coverage, services: [{ name: text, spans: 1 }] },
  })

export const spanOf = (over: Partial<WaterfallSpan> & { readonly spanId: string }): WaterfallSpan => ({
  traceId: traceId(1),
  parentSpanId: '',
  name: 'GET /products',
  kind: 'server',
  service: 'shop-api',
  startNs: 1_777_888_999_000_000_000n,
  durationNs: 240_000_000,
  statusCode: 'unset',
  statusMessage: '',
  attributes: {},
  traceState: '',
  resource: {},
  scopeName: '',
  events: [],
  links: [],
  weight: 1,
  weightKnown: false,
  ...over,
})

/** A request with `calls` equal statements, one after the other, and one call that failed. */
export const nPlusOneTrace = (calls: number): WaterfallSpan[] => {
  const root = spanOf({ spanId: 'root' })
  const statement = 'SELECT * FROM reviews WHERE product_id = ?'
  const children = Array.from({ length: calls }, (_, index) =>
    spanOf({
      spanId: `call${index}`,
      parentSpanId: 'root',
      name: 'SELECT reviews',
      kind: 'client',
      startNs: root.startNs + BigInt(index) * 4_000_000n,
      durationNs: 3_900_000,
      attributes: {
        'db.query.text': statement,
        'code.file.path': 'api/src/products.ts',
        'code.line.number': '48',
      },
    }),
  )
  const failed = spanOf({
    spanId: 'failed',
    parentSpanId: 'root',
    name: 'GET',
    kind: 'client',
    startNs: root.startNs + 200_000_000n,
    durationNs: 30_000_000,
    statusCode: 'error',
  })
  return [root, ...children, failed]
}
