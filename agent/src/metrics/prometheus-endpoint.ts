import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { KeyValue } from '@hotspan/otlp'
import { SUPPRESSED_CONTEXT } from '../core/linked-context.ts'
import { active, runtime } from '../core/runtime.ts'
import type { Log } from '../log.ts'
import { http } from '../node-modules.ts'
import { prometheusText } from './prometheus-text.ts'
import type { Registry } from './registry.ts'

export interface PrometheusEndpoint {
  /** Port once it listens, else undefined. */
  port(): number | undefined
  close(): void
}

/** Serves `/metrics` on a listener of its own that never keeps the process alive. A taken port is told, nothing else happens. */
export function startPrometheusEndpoint(
  registry: Registry,
  resource: () => readonly KeyValue[],
  where: { readonly host: string; readonly port: number },
  log: Log,
): PrometheusEndpoint {
  const server: Server = http.createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(path === '/metrics' ? 405 : 404, { 'content-type': 'text/plain' }).end()
      return
    }
    const open = (request.headers.accept ?? '').includes('application/openmetrics-text')
    registry.collect(false).then(
      (scopes) => {
        const type = open
          ? 'application/openmetrics-text; version=1.0.0; charset=utf-8'
          : 'text/plain; version=0.0.4; charset=utf-8'
        response.writeHead(200, { 'content-type': type })
        response.end(prometheusText(resource(), scopes, open ? 'openmetrics' : 'text'))
      },
      () => response.writeHead(500).end(),
    )
  })
  server.on('error', (error) =>
    log(
      `no Prometheus endpoint on ${where.host}:${where.port}: ${error.message}; set OTEL_EXPORTER_PROMETHEUS_PORT`,
    ),
  )
  runtime.ownServer = server
  active.run(SUPPRESSED_CONTEXT, () => server.listen(where.port, where.host))
  server.unref()
  server.on('connection', (socket) => socket.unref())
  return {
    port: () => (server.address() as AddressInfo | null)?.port,
    close() {
      runtime.ownServer = null
      server.close()
      server.closeAllConnections()
    },
  }
}
