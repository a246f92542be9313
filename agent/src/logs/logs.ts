import type { KeyValue } from '@hotspan/otlp'
import type { PackageTarget } from '../instrumentations/module-hook.ts'
import type { Log } from '../log.ts'
import type { QueueCounts } from '../send/batch.ts'
import { createSender } from '../send/sender.ts'
import type { LogSettings } from '../settings.ts'
import { LogQueue } from './log-queue.ts'
import { instrumentPino } from './pino.ts'
import { instrumentWinston } from './winston.ts'

export interface Logs {
  /** Loggers whose records are joined to traces. */
  readonly packages: readonly PackageTarget[]
  readonly counts: QueueCounts | undefined
  setResource(resource: readonly KeyValue[]): void
  flush(deadlineMs: number): Promise<void>
  close(): void
}

/** Joins the loggers' records to traces; with `settings` they are sent as OTLP too. */
export function startLogs(settings: LogSettings | null, resource: readonly KeyValue[], log: Log): Logs {
  const queue: LogQueue | undefined =
    settings === null ? undefined : new LogQueue(resource, settings.limits, (full) => sender?.wake(full))
  const sender =
    settings === null || queue === undefined
      ? undefined
      : createSender(() => queue, settings.endpoint, settings.delayMs, log)
  return {
    packages: [
      { name: 'pino', patch: instrumentPino(queue) },
      { name: 'winston', patch: instrumentWinston(queue) },
    ],
    counts: queue?.counts,
    setResource: (known) => queue?.setResource(known),
    flush: async (deadlineMs) => sender?.flush(deadlineMs),
    close: () => sender?.close(),
  }
}
