import { ByteWriter } from '@hotspan/otlp/wire'

/** A protobuf `google.rpc.Status` with a `google.rpc.RetryInfo` behind its other details: when a sender may come again. */
export function statusWithRetryInfo(status: Uint8Array, delaySec: number): Uint8Array {
  const info = new ByteWriter(16)
  info.message(1, () => info.uintField(1, delaySec))
  const detail = new ByteWriter(96)
  detail.message(3, () => {
    detail.stringField(1, 'type.googleapis.com/google.rpc.RetryInfo')
    detail.bytesField(2, info.finish())
  })
  return Buffer.concat([status, detail.finish()])
}
