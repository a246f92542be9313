import { type RemoteIds, remoteIds, type TraceFormat } from './format.ts'

const HEADER = 'x-amzn-trace-id'
const ROOT = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i

type Env = Readonly<Record<string, string | undefined>>

/**
 * AWS X-Ray: `Root=1-{8}-{24};Parent={16};Sampled={0|1|?}`. In Lambda the runtime gives each invocation's header in
 * `_X_AMZN_TRACE_ID`; it is read where no header came.
 */
export function xray(env: Env): TraceFormat {
  const inLambda = (env.AWS_LAMBDA_FUNCTION_NAME ?? '') !== ''
  return {
    fields: [HEADER],
    read(headers) {
      const header = headers.get(HEADER) ?? (inLambda ? env._X_AMZN_TRACE_ID : undefined)
      return header === undefined ? undefined : readXray(header)
    },
    write({ traceId, spanId, flags }, headers) {
      headers.set(
        HEADER,
        `Root=1-${traceId.slice(0, 8)}-${traceId.slice(8)};Parent=${spanId};Sampled=${flags & 1}`,
      )
    },
  }
}

/** Fields come in any order; load balancers add `Self`, Lambda `Lineage`: ignored. */
function readXray(header: string): RemoteIds | undefined {
  let root: RegExpExecArray | null = null
  let parent = ''
  let sampled: boolean | undefined
  for (const part of header.split(';')) {
    const equals = part.indexOf('=')
    const value = part.slice(equals + 1).trim()
    switch (part.slice(0, equals).trim()) {
      case 'Root':
        root = ROOT.exec(value)
        break
      case 'Parent':
        parent = value
        break
      case 'Sampled':
        if (value !== '0' && value !== '1' && value !== '?' && value !== '') return undefined
        sampled = value === '0' || value === '1' ? value === '1' : undefined
    }
  }
  if (root === null || parent.length !== 16) return undefined
  return remoteIds(root[1]! + root[2]!, parent, sampled)
}
