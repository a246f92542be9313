import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { SessionPool } from './session-pool.ts'

/** Largest answer to a guest, bytes: as the engine counts it and as text. The library gives answers whole, and four guests are served at once. */
export const guestAnswerBytes = 64 * 1024 * 1024
/**
 * Of a guest's statement: half of the memory of others, its answer as it is written included, so that four of them stay near the engine's cap.
 * Grouping and sorting go to disk before that.
 */
export function guestLimits(engine: Readonly<Record<string, string | number>>): [string, string][] {
  const memoryBytes = Math.floor(Number(engine.max_memory_usage) / 2)
  const spillBytes = String(Math.floor(memoryBytes / 2))
  return [
    ['max_result_bytes', String(guestAnswerBytes)],
    ['max_memory_usage', String(memoryBytes)],
    ['max_bytes_before_external_group_by', spillBytes],
    ['max_bytes_before_external_sort', spillBytes],
  ]
}

/** An answer of this size is worth a look at the memory behind it. */
export const largeAnswerBytes = 8 * 1024 * 1024

const bound = `${guestAnswerBytes / 1024 / 1024} MiB`
const wayOut =
  'ask for fewer rows (LIMIT), fewer columns, a narrower time range, or a smaller FORMAT (JSONCompactEachRow, RowBinary)'

export const answerTooLarge = (bytes: number): Error =>
  new Error(
    `Code: 396. DB::Exception: the answer has ${Math.ceil(bytes / 1024 / 1024)} MiB; ${bound} is the bound of one answer here: ${wayOut}. (TOO_MANY_ROWS_OR_BYTES)`,
  )

/** The engine's own words for an answer past the bound, or past the memory in which it is written, with the way out. */
export function boundedAnswer(error: unknown): unknown {
  const message = error instanceof Error ? error.message : String(error)
  if (!/^Code: (?:241|396)\./.test(message) || message.includes(wayOut)) return error
  return new Error(`${message.trimEnd()} ${bound} is the bound of one answer here: ${wayOut}.`)
}

/**
 * Gives the memory of large answers back to the machine once they have gone out: the runtime frees it only when it happens to collect, and
 * the engine's allocator keeps what was freed for a while.
 */
export class AnswerMemory {
  private readonly control: SessionPool
  private readonly collect: () => void
  private waiting: NodeJS.Timeout | null = null

  constructor(control: SessionPool) {
    this.control = control
    setFlagsFromString('--expose-gc')
    this.collect = runInNewContext('gc') as () => void
  }

  /** A large answer has gone out; several in a row are one purge. */
  answered(): void {
    this.waiting ??= setTimeout(() => {
      this.waiting = null
      void this.purge()
    }, 200)
  }

  private async purge(): Promise<void> {
    this.collect()
    const session = await this.control.lease()
    try {
      await session.queryAsync('SYSTEM JEMALLOC PURGE', { format: 'TabSeparated' })
    } catch {
      // Built without it: the allocator gives back in its own time.
    } finally {
      this.control.release(session)
    }
  }
}
