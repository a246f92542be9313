import { remoteIds, type TraceFormat } from './format.ts'

const HEADER = 'x-cloud-trace-context'
const FORM = /^([0-9a-f]{32})\/([0-9]{1,20})(?:;o=([0-9]+))?$/i
const UINT64_MAX = 0xffff_ffff_ffff_ffffn

/** Google Cloud's own header, `{trace}/{span id, decimal};o={0|1}`. Without `o` the receiver decides. */
export const googleCloud: TraceFormat = {
  fields: [HEADER],
  read(headers) {
    const found = FORM.exec(headers.get(HEADER) ?? '')
    if (found === null) return undefined
    const spanId = BigInt(found[2]!)
    if (spanId > UINT64_MAX) return undefined
    const sampled = found[3] === undefined ? undefined : Number(found[3]) !== 0
    return remoteIds(found[1]!, spanId.toString(16), sampled)
  },
  write({ traceId, spanId, flags }, headers) {
    headers.set(HEADER, `${traceId}/${BigInt(`0x${spanId}`)};o=${flags & 1}`)
  },
}
