import { rendersInVain } from './detectors/renders-in-vain.ts'
import type { Evidence, Finding, Location } from './finding.ts'
import { findingSchemaVersion } from './finding.ts'
import { findingId, fingerprintOf } from './fingerprint.ts'
import { inWindow, rows } from './rows.ts'
import type { AnalysisWindow } from './window.ts'

/** Share of a service's spans without a signal from which on its detectors are blind, 0 to 1. */
const missingRatio = 0.5

interface Gap {
  readonly detector: string
  readonly service: string
  readonly operation: string
  /** The attribute or span that is missing. */
  readonly missing: string
  readonly spans: number
  readonly fix: string
  /** What is known all the same. */
  readonly known?: {
    readonly location: Location
    readonly evidence: readonly Evidence[]
    readonly traceIds: readonly string[]
    readonly text: string
  }
}

/** Signals that detectors need and that the window does not have: written once, for all detectors. */
export async function cannotJudge(window: AnalysisWindow): Promise<Finding[]> {
  return [
    ...databaseGaps(window),
    ...eventLoopGaps(window),
    ...(await reactGaps(window)),
    ...(await modelGaps(window)),
  ].map(findingOf)
}

function databaseGaps({ services }: AnalysisWindow): Gap[] {
  return services
    .filter(
      ({ databaseSpans, databaseSpansWithoutText }) =>
        databaseSpans > 0 && databaseSpansWithoutText > missingRatio * databaseSpans,
    )
    .map(({ name, databaseSpansWithoutText }) => ({
      detector: 'slow-query, n-plus-one',
      service: name,
      operation: '',
      missing: 'db.query.text',
      spans: databaseSpansWithoutText,
      fix: 'Let the instrumentation of the database record db.query.text; @hotspan/agent does, with literals removed.',
    }))
}

/** Another SDK than ours has no watchdog on the loop. */
function eventLoopGaps({ services }: AnalysisWindow): Gap[] {
  return services
    .filter(({ language, sdk, serverSpans }) => language === 'nodejs' && sdk !== 'hotspan' && serverSpans > 0)
    .map(({ name, serverSpans }) => ({
      detector: 'event-loop-block',
      service: name,
      operation: '',
      missing: 'event_loop.stall spans',
      spans: serverSpans,
      fix: 'Start the service with @hotspan/agent, which watches the event loop.',
    }))
}

async function reactGaps(window: AnalysisWindow): Promise<Gap[]> {
  const found = await rows<{ service: string; spans: number; development: number; unmeasured: number }>(
    window.store,
    `SELECT ServiceName AS service, toFloat64(count()) AS spans,
       toFloat64(countIf(SpanAttributes['hotspan.react.build'] = 'development')) AS development,
       toFloat64(countIf(has(\`Events.Name\`, 'hotspan.react.component')
         AND not arrayExists(a -> mapContains(a, 'hotspan.react.self_time'), \`Events.Attributes\`))) AS unmeasured
     FROM otel_traces WHERE ${inWindow} AND SpanName = 'react.commits' GROUP BY service LIMIT 1000`,
    window.parameters,
  )
  const gaps: Gap[] = []
  for (const { service, spans, development, unmeasured } of found) {
    const gap = { detector: 'wasted-renders', service, operation: '' }
    if (development > missingRatio * spans) {
      gaps.push({
        ...gap,
        missing: 'a production build of React (this is the development build)',
        spans: development,
        fix: 'Build the front end for production, with react-dom/profiling in place of react-dom/client.',
      })
    } else if (unmeasured > missingRatio * spans) {
      const known = await rendersInVain(window, service)
      gaps.push({
        ...gap,
        missing: 'hotspan.react.self_time',
        spans: unmeasured,
        fix: 'Alias react-dom/client to react-dom/profiling in the build: the production build of React measures no render times.',
        ...(known !== null && { known }),
      })
    }
  }
  return gaps
}

async function modelGaps(window: AnalysisWindow): Promise<Gap[]> {
  const found = await rows<{ service: string; spans: number }>(
    window.store,
    `SELECT ServiceName AS service, toFloat64(count()) AS spans FROM otel_traces
     WHERE ${inWindow} AND SpanAttributes['hotspan.inference.phase'] != '' AND SpanAttributes['hotspan.inference.model.name'] = ''
     GROUP BY service LIMIT 1000`,
    window.parameters,
  )
  return found.map(({ service, spans }) => ({
    detector: 'model-load, event-loop-block',
    service,
    operation: '',
    missing: 'hotspan.inference.model.name',
    spans,
    fix: 'Set the name or file of the model on its inference spans.',
  }))
}

function findingOf({ detector, service, operation, missing, spans, fix, known }: Gap): Finding {
  const fingerprint = fingerprintOf({
    detector: 'cannot-judge',
    service,
    operation,
    place: detector,
    target: missing,
  })
  return {
    schemaVersion: findingSchemaVersion,
    id: findingId(fingerprint),
    fingerprint,
    kind: 'cannot-judge',
    detector,
    title: `Cannot judge ${detector}: no ${missing} on service ${service}`,
    severity: 'low',
    confidence: 'possible',
    service,
    operation,
    location: known?.location ?? {},
    evidence: [
      { label: 'spans without it', value: spans, unit: '{span}', n: spans },
      ...(known?.evidence ?? []),
    ],
    traceIds: known?.traceIds ?? [],
    runIds: [],
    saving: null,
    fix: known === undefined ? fix : `${fix} ${known.text}`,
    guards: [],
  }
}
