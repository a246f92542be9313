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

  buildId: {
    name: 'hotspan.build.id',
    unit: 'text',
    meaning: 'build of the application in the page, by which its source maps are found (on the resource)',
  },
  browserDrops: {
    name: 'hotspan.drops',
    unit: 'text',
    meaning: 'what the browser SDK has dropped so far, by reason (on the resource): queue,3,size,1',
  },
  interactionTarget: {
    name: 'hotspan.interaction.target',
    unit: 'text',
    meaning: 'selector of the element: tag, id, classes; never text',
  },
  interactionInputDelay: {
    name: 'hotspan.interaction.input_delay',
    unit: 'ms',
    meaning: 'input to the first handler',
  },
  interactionProcessingTime: {
    name: 'hotspan.interaction.processing_time',
    unit: 'ms',
    meaning: 'time in handlers',
  },
  interactionPresentationDelay: {
    name: 'hotspan.interaction.presentation_delay',
    unit: 'ms',
    meaning: 'last handler to the next paint',
  },
  navigationType: {
    name: 'hotspan.navigation.type',
    unit: 'text',
    meaning: 'navigate, reload, back_forward or prerender',
  },
  resourceInitiator: {
    name: 'hotspan.resource.initiator',
    unit: 'text',
    meaning: 'initiatorType of resource timing',
  },
  resourceDelivery: {
    name: 'hotspan.resource.delivery',
    unit: 'text',
    meaning: 'cache or navigational-prefetch; absent from the network',
  },
  resourceTransferSize: {
    name: 'hotspan.resource.transfer_size',
    unit: 'By',
    meaning: 'bytes on the wire with headers; 0 from a cache',
  },
  resourceRenderBlocking: {
    name: 'hotspan.resource.render_blocking',
    unit: 'bool',
    meaning: 'the browser did not paint before it had come',
  },
  resourceLargestPaint: {
    name: 'hotspan.resource.largest_paint',
    unit: 'bool',
    meaning: 'it is the largest contentful paint, as far as known when the page had loaded',
  },
  resourceCount: {
    name: 'hotspan.resource.count',
    unit: '{resource}',
    meaning: 'resources summed up (on event resources)',
  },
  resourceBytes: { name: 'hotspan.resource.bytes', unit: 'By', meaning: 'their encoded bodies together' },
  longFrameBlocking: {
    name: 'hotspan.long_frame.blocking',
    unit: 'ms',
    meaning: 'blocking duration of a long animation frame',
  },
  longFrameScriptInvoker: {
    name: 'hotspan.long_frame.script.invoker',
    unit: 'text',
    meaning: 'what ran the script, as the browser names it (on event script)',
  },
  longFrameScriptDuration: {
    name: 'hotspan.long_frame.script.duration',
    unit: 'ms',
    meaning: 'time of the script in the frame',
  },
  longFrameScriptForcedLayout: {
    name: 'hotspan.long_frame.script.forced_layout',
    unit: 'ms',
    meaning: 'forced style and layout within it',
  },
  longFrameScriptPosition: {
    name: 'hotspan.long_frame.script.position',
    unit: '{character}',
    meaning: 'character position of the function in its file',
  },
  webVitalTarget: {
    name: 'hotspan.web_vital.target',
    unit: 'text',
    meaning: 'selector of the largest paint, largest shift or slowest interaction',
  },
  webVitalUrl: {
    name: 'hotspan.web_vital.url',
    unit: 'text',
    meaning: 'resource of the largest contentful paint, scrubbed',
  },
  webVitalFirstByte: {
    name: 'hotspan.web_vital.time_to_first_byte',
    unit: 'ms',
    meaning: 'part of LCP and FCP before the first byte',
  },
  webVitalLoadDelay: {
    name: 'hotspan.web_vital.resource_load_delay',
    unit: 'ms',
    meaning: 'part of LCP from first byte to the request of its resource',
  },
  webVitalLoadDuration: {
    name: 'hotspan.web_vital.resource_load_duration',
    unit: 'ms',
    meaning: 'part of LCP while its resource loads',
  },
  webVitalRenderDelay: {
    name: 'hotspan.web_vital.element_render_delay',
    unit: 'ms',
    meaning: 'part of LCP after its resource had come',
  },
  webVitalInputDelay: {
    name: 'hotspan.web_vital.input_delay',
    unit: 'ms',
    meaning: 'part of INP before the first handler',
  },
  webVitalProcessing: {
    name: 'hotspan.web_vital.processing_duration',
    unit: 'ms',
    meaning: 'part of INP in handlers',
  },
  webVitalPresentation: {
    name: 'hotspan.web_vital.presentation_delay',
    unit: 'ms',
    meaning: 'part of INP after the handlers',
  },
  webVitalTime: {
    name: 'hotspan.web_vital.time',
    unit: 'ms',
    meaning: 'when, since the navigation: interaction of INP, largest shift of CLS',
  },
  webVitalEvent: {
    name: 'hotspan.web_vital.event',
    unit: 'text',
    meaning: 'event type of the slowest interaction',
  },
  webVitalWaiting: {
    name: 'hotspan.web_vital.waiting_duration',
    unit: 'ms',
    meaning: 'part of TTFB before DNS: redirects, cache, worker',
  },
  webVitalConnection: {
    name: 'hotspan.web_vital.connection_duration',
    unit: 'ms',
    meaning: 'part of TTFB for DNS, connection and TLS',
  },
  webVitalRequest: {
    name: 'hotspan.web_vital.request_duration',
    unit: 'ms',
    meaning: 'part of TTFB from request to first byte',
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
    meaning:
      'counts by cause: state=1, ctx:T=2, prop:x=3; equal by value: ref:x=34, ref:ctx:T=5, parent=4; not judged: unknown=1',
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
  reactBaseTime: {
    name: 'hotspan.react.base_time',
    unit: 'ms',
    meaning: 'render time of a profiled subtree without memo (on event hotspan.react.profiler)',
  },
  reactComponentStack: {
    name: 'hotspan.react.component_stack',
    unit: 'text',
    meaning: 'component stack of an error that a boundary caught',
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
    meaning:
      'CPU time of the thread in the stall; far below its duration when the thread waited or was not scheduled',
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

  messagingQueueWait: {
    name: 'hotspan.messaging.queue_wait',
    unit: 'ms',
    meaning:
      'time a message lay ready before its consumer took it; the delay that its sender asked for is not in it',
  },
  messagingJobName: {
    name: 'hotspan.messaging.job.name',
    unit: 'text',
    meaning: 'kind of the job, where one queue has several',
  },
  messagingAttempt: {
    name: 'hotspan.messaging.attempt',
    unit: '{attempt}',
    meaning: 'which try of the message this is, 1 for the first',
  },

  requestQueries: {
    name: 'hotspan.request.queries',
    unit: '{query}',
    meaning: 'database operations of the request in this process (on its server span)',
  },
  requestQueryTime: {
    name: 'hotspan.request.query_time',
    unit: 'ms',
    meaning: 'their durations added up; those that ran at the same time count each',
  },
  requestCalls: {
    name: 'hotspan.request.calls',
    unit: '{call}',
    meaning: 'outgoing HTTP and RPC calls of the request in this process',
  },
  requestCallTime: {
    name: 'hotspan.request.call_time',
    unit: 'ms',
    meaning: 'their durations added up; those that ran at the same time count each',
  },
  requestBytesReceived: {
    name: 'hotspan.request.bytes_received',
    unit: 'By',
    meaning: 'bytes of the request on its connection, head included',
  },
  requestBytesSent: {
    name: 'hotspan.request.bytes_sent',
    unit: 'By',
    meaning: 'bytes of the answer on its connection, head included',
  },
  requestCpuTime: {
    name: 'hotspan.request.cpu_time',
    unit: 'ms',
    meaning: "CPU time of the event loop's thread in callbacks and continuations of the request",
  },
  samplingPartial: {
    name: 'hotspan.sampling.partial',
    unit: 'bool',
    meaning:
      'kept for being slow or failed after other services had been told not to: their spans are missing',
  },
  faasInitTime: {
    name: 'hotspan.faas.init_time',
    unit: 'ms',
    meaning: 'time that loading and starting the agent added to the cold start (on its first span)',
  },

  dbParametersHash: {
    name: 'hotspan.db.parameters.hash',
    unit: 'text',
    meaning: '16 hex digits: equal for two calls with equal parameters',
  },
})
