import { RPC_METADATA_KEY } from '../core/context-keys.ts'
import { active } from '../core/runtime.ts'
import { AgentSpan } from '../core/span.ts'
import { SPAN_OF_RESPONSE, type TracedResponse } from './server-timing.ts'

/** The span of the request that a response of `node:http` answers. */
export const serverSpanOf = (response: unknown): AgentSpan | undefined =>
  (response as Partial<TracedResponse> | null | undefined)?.[SPAN_OF_RESPONSE]

/** The span of the request that is being served here, also from inside its children. */
export function activeServerSpan(): AgentSpan | undefined {
  const metadata = active.getStore()?.getValue(RPC_METADATA_KEY) as { span?: unknown } | undefined
  return metadata?.span instanceof AgentSpan ? metadata.span : undefined
}
