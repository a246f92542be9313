import { type IncomingHeaders, type RemoteIds, remoteIds, type TraceFormat } from './format.ts'

/** B3 in several headers. */
export const b3Multi: TraceFormat = {
  fields: ['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-b3-flags'],
  read: readB3Multi,
  write({ traceId, spanId, flags, debug }, headers) {
    headers.set('x-b3-traceid', traceId)
    headers.set('x-b3-spanid', spanId)
    // Debug implies the decision, which must not be sent with it.
    if (debug) headers.set('x-b3-flags', '1')
    else headers.set('x-b3-sampled', String(flags & 1))
  },
}

const LENGTH = /^(?:.{16}|.{32})$/

function readB3Multi(headers: IncomingHeaders): RemoteIds | 'denied' | undefined {
  const traceId = headers.get('x-b3-traceid')
  const spanId = headers.get('x-b3-spanid')
  const debug = headers.get('x-b3-flags') === '1'
  const sampled = debug ? true : decision(headers.get('x-b3-sampled'))
  if (sampled === null) return undefined
  if (traceId === undefined && spanId === undefined) return sampled === false ? 'denied' : undefined
  if (traceId === undefined || spanId === undefined || !LENGTH.test(traceId) || spanId.length !== 16)
    return undefined
  return remoteIds(traceId, spanId, sampled, debug)
}

/** Older senders write `true` and `false`. Null for what is neither. */
function decision(header: string | undefined): boolean | undefined | null {
  if (header === undefined) return undefined
  if (header === '1' || header.toLowerCase() === 'true') return true
  return header === '0' || header.toLowerCase() === 'false' ? false : null
}
