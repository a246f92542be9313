/** What is compared. `script` sets the SDK up as its documentation says for all it can do without replay and profiling. */
export interface Contender {
  readonly id: string
  /** For the notes: package, version and what differs from the defaults. */
  readonly configuration: string
  /** ES module source; `RECEIVER` is the receiver's origin. Empty: no SDK at all. */
  readonly script: string
}

export const hotspan: Contender = {
  id: 'hotspan',
  configuration: '@hotspan/browser and /react of this tree: init() with all it starts, defaults',
  script: `
    import '@hotspan/browser/react'
    import { init } from '@hotspan/browser'
    init({ endpoint: RECEIVER, service: 'bench' })`,
}

export const none: Contender = { id: 'none', configuration: 'the page without any SDK', script: '' }

export const openTelemetry: Contender = {
  id: 'otel',
  configuration:
    'OpenTelemetry web 2.12.0: BatchSpanProcessor with defaults, OTLP/HTTP exporter 0.223.0, instrumentations document-load, fetch, xml-http-request, user-interaction, no zone.js',
  script: `
    import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web'
    import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
    import { registerInstrumentations } from '@opentelemetry/instrumentation'
    import { DocumentLoadInstrumentation } from '@opentelemetry/instrumentation-document-load'
    import { FetchInstrumentation } from '@opentelemetry/instrumentation-fetch'
    import { UserInteractionInstrumentation } from '@opentelemetry/instrumentation-user-interaction'
    import { XMLHttpRequestInstrumentation } from '@opentelemetry/instrumentation-xml-http-request'
    const ignoreUrls = [new RegExp(RECEIVER)]
    const exporter = new OTLPTraceExporter({ url: RECEIVER + '/v1/traces' })
    new WebTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }).register()
    registerInstrumentations({
      instrumentations: [
        new DocumentLoadInstrumentation(),
        new FetchInstrumentation({ ignoreUrls }),
        new XMLHttpRequestInstrumentation({ ignoreUrls }),
        new UserInteractionInstrumentation(),
      ],
    })`,
}

export const sentry: Contender = {
  id: 'sentry',
  configuration: '@sentry/react 11.12.0: browserTracingIntegration, tracesSampleRate 1, tunnel',
  script: `
    import { browserTracingIntegration, init } from '@sentry/react'
    init({
      dsn: 'https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/1',
      tunnel: RECEIVER + '/envelope',
      integrations: [browserTracingIntegration()],
      tracesSampleRate: 1,
    })`,
}

export const faro: Contender = {
  id: 'faro',
  configuration: 'Faro 2.12.1: getWebInstrumentations() and TracingInstrumentation, defaults',
  script: `
    import { getWebInstrumentations, initializeFaro } from '@grafana/faro-web-sdk'
    import { TracingInstrumentation } from '@grafana/faro-web-tracing'
    initializeFaro({
      url: RECEIVER + '/collect',
      app: { name: 'bench' },
      instrumentations: [...getWebInstrumentations(), new TracingInstrumentation()],
    })`,
}

export const datadog: Contender = {
  id: 'datadog',
  configuration:
    '@datadog/browser-rum-slim 7.16.0: resources, long tasks and interactions on, session sample rate 100, proxy',
  script: `
    import { datadogRum } from '@datadog/browser-rum-slim'
    datadogRum.init({
      applicationId: '00000000-0000-4000-8000-000000000000',
      clientToken: 'pub0123456789abcdef0123456789abcdef',
      site: 'datadoghq.com',
      proxy: RECEIVER + '/datadog',
      service: 'bench',
      sessionSampleRate: 100,
      trackResources: true,
      trackLongTasks: true,
      trackUserInteractions: true,
      trackingConsent: 'granted',
    })`,
}

export const peers = [openTelemetry, sentry, faro, datadog] as const
