import { spansOfTraces } from '@hotspan/collector'
import type { Evidence, Location } from '../finding.ts'
import { inWindow, rows } from '../rows.ts'
import type { AnalysisWindow } from '../window.ts'
import { causeText, commitsName, componentEvent, isJudgeable, wasteOf } from './component-waste.ts'

/** What is known of renders in vain where React's build measures no times. */
export interface RendersInVain {
  readonly location: Location
  readonly evidence: readonly Evidence[]
  readonly traceIds: readonly string[]
  readonly text: string
}

const sampledTraces = 40
const listed = 3

interface Tally {
  component: string
  cause: string
  file: string | undefined
  line: number | undefined
  root: string
  renders: number
  wasted: number
  readonly traceIds: Set<string>
}

/**
 * The components of a service that rendered in vain most often, counted over a sample of its traces that was chosen without looking at
 * durations; null when none did in three traces. Counts only: what they cost cannot be told without times.
 */
export async function rendersInVain(window: AnalysisWindow, service: string): Promise<RendersInVain | null> {
  const [found] = await rows<{ traceIds: string[] }>(
    window.store,
    `SELECT groupArraySample(${sampledTraces}, 7)(TraceId) AS traceIds FROM otel_traces
     WHERE ${inWindow} AND ServiceName = {service: String} AND SpanName = {name: String} AND has(\`Events.Name\`, {event: String})`,
    { ...window.parameters, service, name: commitsName, event: componentEvent },
  )
  const spans = await spansOfTraces(window.store, window.scope, [...new Set(found?.traceIds ?? [])])
  const tallies = new Map<string, Tally>()
  for (const span of spans) {
    if (span.name !== commitsName || !isJudgeable(span)) continue
    for (const { name, attributes } of span.events) {
      if (name !== componentEvent) continue
      const { component, cause, file, line, root, renders, wasted } = wasteOf(attributes)
      const key = JSON.stringify([component, file])
      const tally = tallies.get(key) ?? {
        ...{ component, cause, file, line, root },
        ...{ renders: 0, wasted: 0, traceIds: new Set<string>() },
      }
      tallies.set(key, tally)
      tally.renders += renders
      tally.wasted += wasted
      if (tally.cause === 'parent') tally.cause = cause
      if (wasted > 0) tally.traceIds.add(span.traceId)
    }
  }
  const worst = [...tallies.values()]
    .filter(({ component, traceIds }) => component !== '' && traceIds.size >= 3)
    .sort((a, b) => b.wasted - a.wasted)
    .slice(0, listed)
  const [most] = worst
  if (most === undefined) return null
  const { component, file, line } = most
  return {
    location: { component, ...(file !== undefined && { file }), ...(line !== undefined && { line }) },
    evidence: worst.map((tally) => ({
      label: `wasted share of ${tally.component}'s renders`,
      value: tally.wasted / tally.renders,
      unit: '1',
      n: Math.round(tally.renders),
    })),
    traceIds: [...most.traceIds].slice(0, 3),
    text: `Most often in vain, without times: ${worst.map(phraseOf).join('; ')}.`,
  }
}

function phraseOf({ component, file, line, cause, root }: Tally): string {
  const place = file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`
  const why = cause === 'parent' ? `with ${root === '' ? 'its parent' : root}` : `for ${causeText(cause)}`
  return `${component}${place} ${why}`
}
