import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { runtime } from '../core/runtime.ts'
import type { AgentSpan } from '../core/span.ts'
import type { SpanEncoder } from '../encode/span-encoder.ts'
import { RequestAccount } from './account.ts'
import { startCpuClock } from './cpu-clock.ts'

/** How requests are accounted for. */
export interface Accounting {
  /** A request begins; its span is the first of its trace here. */
  begin(span: AgentSpan, request: IncomingMessage, socket: Socket): void
  /** Attributes of the server span. */
  write(encoder: SpanEncoder, account: RequestAccount): void
}

/** Counts queries, calls and bytes per request, and CPU time with `cpu`. Returns a function that ends it. */
export function startAccounting(cpu: boolean): () => void {
  const clock = cpu ? startCpuClock() : undefined
  runtime.accounting = {
    begin(span, request, socket) {
      const account = new RequestAccount(request, socket, cpu)
      span.trace.account = account
      clock?.serves(account)
    },
    write(encoder, account) {
      clock?.settle()
      account.write(encoder)
    },
  }
  return () => {
    runtime.accounting = null
    clock?.stop()
  }
}
