import { b3Multi } from './b3-multi.ts'
import { type IncomingHeaders, type RemoteIds, remoteIds, type TraceFormat } from './format.ts'

const B3 = /^((?:[0-9a-f]{16}){1,2})-([0-9a-f]{16})(?:-([01d]))?(?:-[0-9a-f]{16})?$/

/**
 * B3 in one header, `{trace}-{span}[-{1|0|d}[-{parent}]]` or `0`. As B3 asks, it reads the other form too,
 * where this header is missing (openzipkin/b3-propagation).
 */
export const b3: TraceFormat = {
  fields: ['b3'],
  read: readB3,
  write({ traceId, spanId, flags, debug }, headers) {
    headers.set('b3', `${traceId}-${spanId}-${debug ? 'd' : flags & 1}`)
  },
}

function readB3(headers: IncomingHeaders): RemoteIds | 'denied' | undefined {
  const header = headers.get('b3')
  if (header === undefined) return b3Multi.read(headers)
  if (header === '0') return 'denied'
  const found = B3.exec(header)
  if (found === null) return undefined
  const [, traceId, spanId, state] = found
  return remoteIds(traceId!, spanId!, state === undefined ? undefined : state !== '0', state === 'd')
}
