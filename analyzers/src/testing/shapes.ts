import { createHash } from 'node:crypto'
import type { MadeSpan } from './traffic.ts'

/** Shapes of spans as the agent and the browser SDK send them. */

const hash = (parameters: unknown) =>
  createHash('sha256').update(JSON.stringify(parameters)).digest('hex').slice(0, 16)

export function query(
  text: string,
  startMs: number,
  durationMs: number,
  more: { rows?: number; parameters?: unknown; site?: string; isError?: boolean } = {},
): MadeSpan {
  const [, verb = 'SELECT'] = /^(\w+)/.exec(text) ?? []
  const [, table = ''] = /\b(?:FROM|INTO|UPDATE)\s+(\w+)/i.exec(text) ?? []
  return {
    name: `${verb} ${table}`,
    kind: 'Client',
    startMs,
    durationMs,
    ...(more.isError && { isError: true }),
    attributes: {
      'db.system.name': 'postgresql',
      'db.query.text': text,
      'db.query.summary': `${verb} ${table}`,
      'server.address': 'db',
      'server.port': 5432,
      'db.response.returned_rows': more.rows ?? 1,
      ...(more.parameters !== undefined && { 'hotspan.db.parameters.hash': hash(more.parameters) }),
      ...(more.site !== undefined && {
        'code.function.name': more.site,
        'code.file.path': 'src/routes.ts',
        'code.line.number': 48,
      }),
    },
  }
}

export const call = (url: string, startMs: number, durationMs: number, isError = false): MadeSpan => ({
  name: 'GET',
  kind: 'Client',
  startMs,
  durationMs,
  isError,
  attributes: { 'http.request.method': 'GET', 'url.full': url },
})

export const serve = (
  operation: string,
  durationMs: number,
  children: readonly MadeSpan[],
  path = '',
): MadeSpan => ({
  name: operation,
  kind: 'Server',
  service: 'api',
  startMs: 0,
  durationMs,
  attributes: { 'http.request.method': 'GET', 'http.route': operation.split(' ')[1]!, 'url.path': path },
  children,
})

/** A visit from the browser around a request. */
export const fromBrowser = (request: MadeSpan): MadeSpan => ({
  name: 'documentLoad',
  service: 'web',
  startMs: 0,
  durationMs: request.durationMs + 30,
  attributes: { 'hotspan.view.route': '/' },
  children: [
    {
      name: 'GET',
      kind: 'Client',
      startMs: 10,
      durationMs: request.durationMs + 10,
      children: [shifted(request, 15)],
    },
  ],
})

function shifted(span: MadeSpan, byMs: number): MadeSpan {
  return {
    ...span,
    startMs: span.startMs + byMs,
    children: (span.children ?? []).map((child) => shifted(child, byMs)),
  }
}

/** Calls one after another, each starting `gapMs` after the end of the one before. */
export function oneAfterAnother(spans: readonly MadeSpan[], startMs: number, gapMs = 0.3): MadeSpan[] {
  let atMs = startMs
  return spans.map((span) => {
    const placed = { ...span, startMs: atMs }
    atMs += span.durationMs + gapMs
    return placed
  })
}

export const endOf = (spans: readonly MadeSpan[]): number =>
  Math.max(0, ...spans.map((span) => span.startMs + span.durationMs))
