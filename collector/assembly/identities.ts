import { takeIds } from './host'

/** Ids and times of all spans, 40 bytes each: they tell a body that comes again. */

const identityBytes: usize = 40
const start = memory.data(1024 * 40, 16)
const last: usize = start + 1024 * identityBytes
let at: usize = start

/** False once a span without an id was seen. */
export let allHaveIds = true

/** Starts on another body. */
export function startIdentities(): void {
  at = start
  allHaveIds = true
}

export function addIdentity(traceId: usize, spanId: usize, startNs: u64, endNs: u64): void {
  if (at === last) handOverIdentities()
  v128.store(at, v128.load(traceId))
  store<u64>(at, load<u64>(spanId), 16)
  store<u64>(at, startNs, 24)
  store<u64>(at, endNs, 32)
  at += identityBytes
}

export function addNoIdentity(): void {
  allHaveIds = false
}

/** Gives what was collected to JavaScript. */
export function handOverIdentities(): void {
  takeIds(start, at)
  at = start
}
