import { ByteWriter, WireReader } from '@hotspan/otlp/wire'

const retryInfo = 'type.googleapis.com/google.rpc.RetryInfo'

/** A protobuf `google.rpc.Status` with a `google.rpc.RetryInfo` behind its other details: when a sender may come again. */
export function statusWithRetryInfo(status: Uint8Array, delaySec: number): Uint8Array {
  const info = new ByteWriter(16)
  info.message(1, () => info.uintField(1, delaySec))
  const detail = new ByteWriter(96)
  detail.message(3, () => {
    detail.stringField(1, retryInfo)
    detail.bytesField(2, info.finish())
  })
  return Buffer.concat([status, detail.finish()])
}

/** The delay of the `RetryInfo` in a `google.rpc.Status`, whole seconds rounded up; null when there is none, or no such status. */
export function retryDelaySec(status: Uint8Array): number | null {
  try {
    for (const detail of fieldsOf(status, 26)) {
      const [type] = fieldsOf(detail, 10)
      const [info] = fieldsOf(detail, 18)
      if (type === undefined || info === undefined || Buffer.from(type).toString() !== retryInfo) continue
      const [delay = new Uint8Array(0)] = fieldsOf(info, 10)
      return secondsOf(delay)
    }
  } catch {
    // Not a status: it says nothing.
  }
  return null
}

/** The length-delimited fields of one tag. */
function fieldsOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = []
  const r = new WireReader(bytes)
  while (r.more()) {
    const tag = r.tag()
    if (tag === wanted) found.push(r.slice())
    else r.skip(tag)
  }
  return found
}

/** A `google.protobuf.Duration`. */
function secondsOf(duration: Uint8Array): number {
  let seconds = 0
  let nanos = 0
  const r = new WireReader(duration)
  while (r.more()) {
    const tag = r.tag()
    if (tag === 8) seconds = r.int64()
    else if (tag === 16) nanos = r.int32()
    else r.skip(tag)
  }
  return seconds + (nanos > 0 ? 1 : 0)
}
