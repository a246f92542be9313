/**
 * Random lower-case hex; 16 bytes make a trace id, 8 a span id. From `crypto`, not for secrecy: W3C Trace Context wants ids that
 * do not collide, and browsers seed `Math.random` with as little as 32 bits (WebKit), so that among 100,000 page loads two would
 * probably hand out the same ids. It costs 4 us an id, the first 0.3 ms; a pool would save less than its bytes.
 */
export const randomHex = (bytes: number): string => {
  let hex = ''
  for (const word of crypto.getRandomValues(new Uint32Array(bytes / 4)))
    hex += (word + 2 ** 32).toString(16).slice(1)
  return hex
}

let originMs = 0

/** `performance` time (ms since navigation) as epoch nanoseconds. Based anew when clock and timer drift apart by over 1 s (sleep). */
export const epochNs = (atMs: number): string => {
  const wallOriginMs = Date.now() - nowMs()
  if (Math.abs(wallOriginMs - originMs) > 1000) originMs = wallOriginMs
  // In microseconds, which a double holds exactly and no browser's timer beats.
  return `${Math.round((originMs + atMs) * 1000)}000`
}

export const nowMs = (): number => performance.now()
