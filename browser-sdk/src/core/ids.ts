/**
 * Random lower-case hex; 16 bytes make a trace id, 8 a span id. Not from `crypto`: an id is no secret, and asking costs a page
 * that starts two milliseconds.
 */
export const randomHex = (bytes: number): string => {
  let hex = ''
  for (; bytes > 0; bytes -= 4) hex += ((Math.random() + 1) * 2 ** 32).toString(16).slice(1, 9)
  return hex
}

let originMs = 0

/** `performance` time (ms since navigation) as epoch nanoseconds. Re-based when clock and timer drift apart by over 1 s (sleep). */
export const epochNs = (atMs: number): string => {
  const wallOriginMs = Date.now() - performance.now()
  originMs ||= performance.timeOrigin
  if (Math.abs(wallOriginMs - originMs) > 1000) originMs = wallOriginMs
  const epochMs = originMs + atMs
  const wholeMs = Math.floor(epochMs)
  return wholeMs + `${Math.floor((epochMs - wholeMs) * 1e6)}`.padStart(6, '0')
}

export const nowMs = (): number => performance.now()
