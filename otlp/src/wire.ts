/** Door `@hotspan/otlp/wire`: protobuf primitives for hot paths, in Node and in browsers. */
export { ByteWriter } from './byte-writer.ts'
export { WireError, type WireErrorReason } from './wire-error.ts'
export { decodeUtf8, MAX_GROUP_DEPTH, WireReader, WireType } from './wire-read.ts'
export {
  fillPaddedVarint,
  MAX_VARINT_BYTES,
  paddedVarintLimit,
  utf8Size,
  varintSize,
  writeDouble,
  writeFixed32,
  writeFixed64,
  writeInt64,
  writeUtf8,
  writeVarint,
  writeVarint64,
} from './wire-write.ts'
