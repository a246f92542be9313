/** What a child of the shop tells its parent, over the channel that Node opens for `stdio: 'ipc'`. */
export type ChildMessage =
  | { readonly type: 'ready'; readonly facts: Readonly<Record<string, string | number>> }
  | { readonly type: 'failed'; readonly message: string; readonly code: string }

/** How long a stopped process may take to run empty. */
const runEmptyWithinMs = 5_000

export interface Child {
  /** Tells the parent that this process can be used, and how it is reached. */
  ready(facts: Readonly<Record<string, string | number>>): void
}

/**
 * Makes this process a part of the shop: it stops in order when it is told to (SIGTERM) and when its parent is gone, however
 * the parent ended, and it reports a failed start instead of only printing it.
 */
export function becomeChild(stop: () => Promise<void>): Child {
  let stopping: Promise<void> | undefined
  const end = (exitCode: number) => {
    if (stopping !== undefined) return
    process.exitCode = exitCode
    stopping = stop()
    stopping
      .catch(() => {
        process.exitCode = 1
      })
      .finally(() => {
        if (process.connected) process.disconnect()
        // An agent sends what it holds when nothing is left to do, so the process is not ended but runs empty.
        setTimeout(() => process.exit(), runEmptyWithinMs).unref()
      })
  }
  const send = (message: ChildMessage) => {
    if (process.connected) process.send?.(message)
  }
  const fail = (error: unknown) => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    send({
      type: 'failed',
      message: code.startsWith('SHOP_') && error instanceof Error ? error.message : message,
      code,
    })
    if (!process.connected) process.stderr.write(`${message}\n`)
    end(1)
  }
  process.once('SIGTERM', () => end(0))
  // Reaches the whole foreground group; the parent decides, and closes the channel when it is done.
  process.on('SIGINT', () => {})
  process.once('disconnect', () => end(0))
  process.once('uncaughtException', fail)
  process.once('unhandledRejection', fail)
  return { ready: (facts) => send({ type: 'ready', facts }) }
}
