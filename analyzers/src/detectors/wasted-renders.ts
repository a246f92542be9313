import type { StoredSpan } from '@hotspan/collector'
import type { Detector, Hint, Judgement, Observation } from '../detector.ts'
import type { Evidence, Location } from '../finding.ts'
import { inWindow, rows } from '../rows.ts'
import { meanOf, median, medianInterval } from '../statistics/intervals.ts'
import type { SampledTrace } from '../trace/entry.ts'
import type { TraceSample } from '../trace-sample.ts'
import type { AnalysisWindow } from '../window.ts'
import {
  causeText,
  commitsName,
  componentEvent,
  isContext,
  isJudgeable,
  nameOf,
  type Waste,
  wasteOf,
} from './component-waste.ts'

export const minWastedRatio = 0.3
export const minWastedMs = 16
const minSeenRatio = 0.1

/**
 * Wasted React renders: components rendered without a reason, and their output did not change.
 * Rule         renders without a change by value in props, state or context and without a change of the DOM (counted by the browser SDK)
 *              are >= 30 % of the component's renders and cost >= 16 ms per interaction; all components under one root and cause are
 *              one finding.
 * Likely       the renders were compared and found wasted, and their time was measured (profiling build). Times estimated from the
 *              interaction's length (production build) give `possible`.
 * Saving       measured time of the wasted renders, ms per interaction; where the walk through a commit was cut short, scaled to the
 *              commit's whole render time.
 * Fingerprint  root of the cascade, component, cause.
 * Guards       development builds and StrictMode; first mounts and hydration; skipped commits are stated.
 */
export const wastedRenders: Detector = {
  id: 'wasted-renders',
  needs: ['hotspan.react.self_time'],
  candidates,
  confirm,
}

async function candidates(window: AnalysisWindow): Promise<Hint[]> {
  const found = await rows<{ service: string; traceIds: string[] }>(
    window.store,
    `SELECT ServiceName AS service, groupArraySample(80, 7)(TraceId) AS traceIds
     FROM otel_traces WHERE ${inWindow} AND SpanName = {name: String} AND has(\`Events.Name\`, {event: String})
     GROUP BY ServiceName, SpanAttributes['hotspan.view.route'] ORDER BY count() DESC LIMIT 100`,
    { ...window.parameters, name: commitsName, event: componentEvent },
  )
  return found.map(({ service, traceIds }) => ({
    detector: 'wasted-renders',
    service,
    traceIds: [...new Set(traceIds)],
  }))
}

/** The commits of one interaction. */
interface Interaction {
  readonly trace: SampledTrace
  readonly span: StoredSpan
  readonly route: string
  readonly durationMs: number
  readonly wastes: readonly Waste[]
}

async function confirm(
  _hints: readonly Hint[],
  sample: TraceSample,
  window: AnalysisWindow,
): Promise<Judgement[]> {
  const interactions: Interaction[] = []
  for (const trace of sample.traces.values()) interactions.push(...interactionsOf(trace))
  const byRoute = new Map<string, Interaction[]>()
  for (const interaction of interactions) {
    const key = JSON.stringify([interaction.span.service, interaction.route])
    byRoute.set(key, [...(byRoute.get(key) ?? []), interaction])
  }
  const judgements: Judgement[] = []
  const figures = byRoute.size === 0 ? new Map<string, ViewFigures>() : await viewFigures(window)
  for (const [key, ofRoute] of byRoute) judgements.push(...judgeRoute(ofRoute, figures.get(key), window))
  return judgements
}

function interactionsOf(trace: SampledTrace): Interaction[] {
  const found: Interaction[] = []
  for (const node of trace.tree.nodes) {
    const { span } = node
    if (span.name !== commitsName || !isJudgeable(span)) continue
    const components = span.events.filter((event) => event.name === componentEvent)
    const seenRatio = seenRatioOf(
      span,
      components.map(({ attributes }) => attributes),
    )
    const wastes = components.map(({ attributes }) => scaled(wasteOf(attributes), seenRatio))
    const parent = node.parent ?? node
    found.push({
      trace,
      span,
      route: routeOf(span) || routeOf(parent.span) || routeOf(trace.tree.root.span),
      durationMs: parent.span.durationNs / 1e6,
      wastes: wastes.filter((waste) => waste.wasted > 0),
    })
  }
  return found
}

/**
 * Share of the render time that the browser SDK has examined. A walk that ran out of its budget saw the first part of the commit's
 * components, and the time of the others is taken to be wasted in the same share. Only for a single commit: of several, the one
 * that was not examined may have had another cause. Below a tenth nothing is concluded.
 */
function seenRatioOf(span: StoredSpan, components: readonly Readonly<Record<string, string>>[]): number {
  const number = (name: string) => Number.parseFloat(span.attributes[`hotspan.react.${name}`] ?? '')
  if (number('commits') !== 1 || number('skipped_commits') !== 1) return 1
  const seenMs = components.reduce(
    (sum, attributes) => sum + (Number.parseFloat(attributes['hotspan.react.self_time'] ?? '') || 0),
    0,
  )
  const ratio = seenMs / number('duration')
  return ratio >= minSeenRatio && ratio < 1 ? ratio : 1
}

const scaled = (waste: Waste, seenRatio: number): Waste =>
  seenRatio === 1 ? waste : { ...waste, wastedMs: waste.wastedMs / seenRatio }

const routeOf = (span: StoredSpan): string => span.attributes['hotspan.view.route'] ?? ''

interface ViewFigures {
  readonly interactions: number
  readonly busyMs: number
  readonly p50Ms: number
}

/** Interactions with commits per view route, and the time of what they belong to. */
async function viewFigures(window: AnalysisWindow): Promise<ReadonlyMap<string, ViewFigures>> {
  const found = await rows<ViewFigures & { service: string; route: string }>(
    window.store,
    `SELECT ServiceName AS service, SpanAttributes['hotspan.view.route'] AS route, sum(SampleWeight) AS interactions,
       sum(SampleWeight * Duration) / 1e6 AS busyMs, quantile(0.5)(Duration) / 1e6 AS p50Ms
     FROM (SELECT ServiceName, SpanAttributes, SampleWeight, Duration, TraceId, SpanId FROM otel_traces WHERE ${inWindow} AND SpanName = {name: String} LIMIT 1 BY TraceId, SpanId)
     GROUP BY service, route LIMIT 1000`,
    { ...window.parameters, name: commitsName },
  )
  return new Map(found.map(({ service, route, ...figures }) => [JSON.stringify([service, route]), figures]))
}

function judgeRoute(
  interactions: readonly Interaction[],
  figures: ViewFigures | undefined,
  window: AnalysisWindow,
): Judgement[] {
  const roots = new Set(interactions.flatMap(({ wastes }) => wastes.map((waste) => waste.root)))
  const judgements: Judgement[] = []
  for (const root of roots) {
    const judged = judgeRoot(root, interactions, figures, window)
    if (judged !== null) judgements.push(judged)
  }
  return judgements
}

/** Since the epoch. */
const minuteOf = ({ span }: Interaction): number => Number(span.startNs / 60_000_000_000n)

function judgeRoot(
  root: string,
  interactions: readonly Interaction[],
  figures: ViewFigures | undefined,
  window: AnalysisWindow,
): Judgement | null {
  const components = componentsUnder(root, interactions)
  const affected = interactions
    .map((interaction) => ({
      interaction,
      wastes: interaction.wastes.filter((waste) => waste.root === root && components.has(waste.component)),
    }))
    .filter(({ wastes }) => wastes.length > 0)
  const worst = [...components.values()].sort(
    (a, b) => Number(b.cause !== 'parent') - Number(a.cause !== 'parent') || b.wastedMs - a.wastedMs,
  )[0]
  if (worst === undefined) return null
  const { span, route } = affected[0]!.interaction
  const title = `Wasted renders of ${worst.component}${worst.cause === 'parent' ? '' : `, caused by ${causeText(worst.cause)}`}`
  const worth = affected.filter(({ wastes }) => sumMs(wastes) >= minWastedMs)
  if (worth.length < Math.max(1, 0.1 * affected.length)) return null
  const isMeasured = worth.every(({ wastes }) => wastes.every((waste) => waste.isMeasured))
  const share = worth.length / interactions.length
  const observations = worth.map(
    ({ interaction, wastes }): Observation => ({
      traceId: interaction.trace.tree.traceId,
      minute: minuteOf(interaction),
      savingMs: sumMs(wastes),
      weight: interaction.span.weight,
      isFair: interaction.trace.isFair,
      isWhole: interaction.trace.isWhole,
      startsInBrowser: true,
      entry: null,
      edits: [],
    }),
  )
  return {
    detector: 'wasted-renders',
    service: span.service,
    operation: route,
    title,
    place: root,
    target: `${worst.component}|${worst.cause}`,
    location: locationOf(route, root, worst),
    observations,
    minTraces: 3,
    signals: [
      'the renders had no change by value in props, state or context and left the DOM as it was',
      ...(isMeasured ? ['their render time was measured by React itself (profiling build)'] : []),
    ],
    ...(!isMeasured && { atMost: 'possible' as const }),
    affectedInWindow: (figures?.interactions ?? interactions.length) * share,
    busyMs: figures?.busyMs ?? 0,
    operationP50Ms: figures?.p50Ms ?? 0,
    // A frame is late when it takes 16 ms: a wasted share of the interaction's render time is what a visitor feels.
    severityRatio: median(
      worth.map(({ interaction, wastes }) =>
        Math.min(1, sumMs(wastes) / Math.max(interaction.durationMs, sumMs(wastes))),
      ),
    ),
    evidence: evidenceOf(worth, components, window),
    fix: fixOf(root, worst, components),
    guards: [
      'No development build (StrictMode renders twice there), no first mount, no hydration.',
      isMeasured
        ? 'Times are measured per component.'
        : 'Times are estimated from the length of the interaction (production build of React).',
      ...skipped(worth.map(({ interaction }) => interaction)),
      ...(isBuiltName(worst.component)
        ? [
            `${worst.component} is a name of the minified build: hotspan sourcemaps upload gives those of the source.`,
          ]
        : []),
    ],
  }
}

/** The component's own place; the root of the cascade stands in for it where no source map tells. */
function locationOf(route: string, root: string, { component, file, line }: ComponentWaste): Location {
  if (file === undefined) return { route, component, ...(root !== '' && { function: root }) }
  return { route, component, file, ...(line !== undefined && { line }) }
}

interface ComponentWaste {
  readonly component: string
  readonly file: string | undefined
  readonly line: number | undefined
  readonly cause: string
  readonly wastedMs: number
  readonly wasted: number
  readonly renders: number
}

/** Components under the root of which at least 30 % of the renders were wasted, over all interactions. */
function componentsUnder(root: string, interactions: readonly Interaction[]): Map<string, ComponentWaste> {
  const found = new Map<string, ComponentWaste>()
  for (const { wastes } of interactions) {
    for (const waste of wastes) {
      if (waste.root !== root || waste.component === '') continue
      const known = found.get(waste.component)
      found.set(waste.component, {
        component: waste.component,
        file: waste.file,
        line: waste.line,
        cause: known === undefined || known.cause === 'parent' ? waste.cause : known.cause,
        wastedMs: (known?.wastedMs ?? 0) + waste.wastedMs,
        wasted: (known?.wasted ?? 0) + waste.wasted,
        renders: (known?.renders ?? 0) + waste.renders,
      })
    }
  }
  for (const [name, { wasted, renders }] of found) if (wasted < minWastedRatio * renders) found.delete(name)
  return found
}

/** Name and key of a function, as pages of a build with our plugin send it; resolved by its source maps. */
const isBuiltName = (component: string): boolean => /~[0-9a-z]{1,7}$/.test(component)

const sumMs = (wastes: readonly Waste[]): number => wastes.reduce((sum, waste) => sum + waste.wastedMs, 0)

function skipped(interactions: readonly Interaction[]): string[] {
  const commits = interactions.map(({ span }) =>
    Number(span.attributes['hotspan.react.skipped_commits'] ?? 0),
  )
  return Math.max(...commits) > 0
    ? [
        `Some commits were not examined (on average ${meanOf(commits).toFixed(1)}): the true waste is larger. Where part of a single commit was examined, the rest is taken to be like it.`,
      ]
    : []
}

function evidenceOf(
  worth: readonly { readonly interaction: Interaction; readonly wastes: readonly Waste[] }[],
  components: ReadonlyMap<string, ComponentWaste>,
  window: AnalysisWindow,
): Evidence[] {
  const renders = medianInterval(
    worth.map(({ wastes }) => wastes.reduce((sum, waste) => sum + waste.wasted, 0)),
  )
  const listed = [...components.values()].sort((a, b) => b.wastedMs - a.wastedMs).slice(0, 5)
  return [
    { label: 'wasted renders per interaction', value: renders.value, unit: '{render}', n: worth.length },
    ...listed.map((entry) => ({
      label: `wasted share of ${entry.component}'s renders`,
      value: entry.renders > 0 ? entry.wasted / entry.renders : 0,
      unit: '1',
      n: Math.round(entry.renders),
    })),
    { label: 'length of the window', value: Math.round(window.observedSec), unit: 's', n: 1 },
  ]
}

function fixOf(root: string, worst: ComponentWaste, components: ReadonlyMap<string, ComponentWaste>): string {
  const others = [...components.keys()].filter((name) => name !== worst.component)
  const also = others.length === 0 ? '' : ` It also renders ${others.slice(0, 5).join(', ')} for nothing.`
  const where = root === '' || root === '(root)' ? 'the component above it' : root
  if (isContext(worst.cause))
    return `Keep the value of ${nameOf(worst.cause)} between renders in ${where} (useMemo over what it holds), or split it so that what changes often has a context of its own.${also}`
  if (worst.cause !== 'parent')
    return `Pass ${worst.component} the same ${worst.cause} each time from ${where} (useMemo or useCallback), and wrap it in memo.${also}`
  return `Wrap ${worst.component} in memo, or pass it to ${where} as children, so that it does not render with it.${also}`
}
