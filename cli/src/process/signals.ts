const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof stopSignals)[number]

/** Calls back for every signal that asks us to stop, until the returned function is called. */
export const onStopSignals = (listener: (signal: StopSignal) => void): (() => void) => {
  const handlers = stopSignals.map((signal) => [signal, () => listener(signal)] as const)
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}

/**
 * Resolves with the first signal that asks us to stop. Later ones are swallowed while we close down in order; the third ends the
 * process at once.
 */
export const untilSignal = (): Promise<StopSignal> =>
  new Promise((resolve) => {
    let seen = 0
    onStopSignals((signal) => {
      seen += 1
      if (seen === 1) resolve(signal)
      if (seen >= 3) process.exit(130)
    })
  })
