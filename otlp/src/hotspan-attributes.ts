/**
 * Names of our own, used only where OpenTelemetry has no convention. Each has a unit and a meaning; every writer and every
 * reader in the project takes the name from here.
 */
export interface AttributeDefinition {
  readonly name: string
  /** UCUM unit, `{thing}` for counts, `text` or `bool` where there is none. */
  readonly unit: string
  readonly meaning: string
}

const define = <T extends Record<string, AttributeDefinition>>(table: T): T => table

export const hotspanAttribute = define({
  sessionId: {
    name: 'session.id',
    unit: 'text',
    meaning: 'browser session (semantic conventions, development)',
  },
  viewId: {
    name: 'hotspan.view.id',
    unit: 'text',
    meaning: 'one page view: load, route change or back-forward restore',
  },
  viewRoute: { name: 'hotspan.view.route', unit: 'text', meaning: 'route template of the view' },
  cause: {
    name: 'hotspan.cause',
    unit: 'text',
    meaning: 'how the parent interaction was found: sync, stack, time or action',
  },
  endedBy: {
    name: 'hotspan.ended_by',
    unit: 'text',
    meaning: 'why a span ended early: hide, abort, shutdown',
  },

  reactCommits: {
    name: 'hotspan.react.commits',
    unit: '{commit}',
    meaning: 'commits in the window of the span',
  },
  reactSkippedCommits: {
    name: 'hotspan.react.skipped_commits',
    unit: '{commit}',
    meaning: 'commits not walked, budget spent',
  },
  reactPhase: { name: 'hotspan.react.phase', unit: 'text', meaning: 'mount, update or hydrate' },
  reactWalkTime: { name: 'hotspan.react.walk_time', unit: 'ms', meaning: 'time our own walk took' },
  reactDuration: {
    name: 'hotspan.react.duration',
    unit: 'ms',
    meaning: 'render time of the commits (profiling build)',
  },
  reactVersion: { name: 'hotspan.react.version', unit: 'text', meaning: 'version of react-dom' },
  reactBuild: { name: 'hotspan.react.build', unit: 'text', meaning: 'production, profiling or development' },
  reactComponent: {
    name: 'hotspan.react.component',
    unit: 'text',
    meaning: 'component name (on event hotspan.react.component)',
  },
  reactCascadeRoot: {
    name: 'hotspan.react.cascade_root',
    unit: 'text',
    meaning: 'nearest rendered ancestor with a real cause',
  },
  reactRenders: {
    name: 'hotspan.react.renders',
    unit: '{render}',
    meaning: 'renders of the component in the window',
  },
  reactMounts: { name: 'hotspan.react.mounts', unit: '{render}', meaning: 'first renders' },
  reactCompared: {
    name: 'hotspan.react.compared',
    unit: '{render}',
    meaning: 'renders whose cause was examined',
  },
  reactWasted: {
    name: 'hotspan.react.wasted',
    unit: '{render}',
    meaning: 'renders without a cause by value and with unchanged output',
  },
  reactReasons: {
    name: 'hotspan.react.reasons',
    unit: 'text',
    meaning: 'counts by cause: prop:x=3, ref:x=34, ctx:T=2, state=1, parent=4',
  },
  reactMemo: { name: 'hotspan.react.memo', unit: 'text', meaning: 'none, memo or compiler' },
  reactSelfTime: {
    name: 'hotspan.react.self_time',
    unit: 'ms',
    meaning: 'own render time of the wasted and other renders together (profiling build)',
  },
  reactWastedTime: {
    name: 'hotspan.react.wasted_time',
    unit: 'ms',
    meaning: 'own render time of the wasted renders (profiling build)',
  },
  reactEstimatedTime: {
    name: 'hotspan.react.est_time',
    unit: 'ms',
    meaning: 'interaction processing time x share of renders (production build)',
  },

  stallDuration: {
    name: 'hotspan.event_loop.stall.duration',
    unit: 'ms',
    meaning: 'time the event loop did not turn',
  },
  stallCpuTime: {
    name: 'hotspan.event_loop.stall.cpu_time',
    unit: 'ms',
    meaning: 'CPU time of the thread in the stall; far below its duration when the thread waited or was not scheduled',
  },
  stallSamples: {
    name: 'hotspan.event_loop.stall.samples',
    unit: '{sample}',
    meaning: 'profile samples inside the stall that name the frame',
  },
  eventLoopUtilization: {
    name: 'hotspan.event_loop.utilization',
    unit: '1',
    meaning: 'event-loop utilisation in the second around the stall',
  },
  processUptime: {
    name: 'hotspan.process.uptime',
    unit: 's',
    meaning: 'age of the process when the span started',
  },

  inferenceModel: { name: 'hotspan.inference.model.name', unit: 'text', meaning: 'model file or name' },
  inferencePhase: {
    name: 'hotspan.inference.phase',
    unit: 'text',
    meaning: 'load, queue, preprocess, forward or postprocess',
  },
  inferenceBatchSize: {
    name: 'hotspan.inference.batch.size',
    unit: '{item}',
    meaning: 'first dimension of the first input',
  },
  inferenceInputShapes: {
    name: 'hotspan.inference.input.shapes',
    unit: 'text',
    meaning: 'name:[dims] of every input',
  },
  inferenceThread: { name: 'hotspan.inference.thread', unit: 'text', meaning: 'main or worker' },

  dbParametersHash: {
    name: 'hotspan.db.parameters.hash',
    unit: 'text',
    meaning: '16 hex digits: equal for two calls with equal parameters',
  },
})
