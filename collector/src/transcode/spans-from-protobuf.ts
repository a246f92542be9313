import { decodeTraces } from '@hotspan/otlp'
import { type Rows, spanRowsFromObjects } from './spans-from-objects.ts'

export function spanRowsFromProtobuf(body: Uint8Array): Rows {
  return spanRowsFromObjects(decodeTraces(body))
}
