// A page that does everything wrong before the SDK starts.
import * as hotspan from '@hotspan/browser'

const { hostile, ...options } = (
  globalThis as unknown as { HOTSPAN_TEST: hotspan.Options & { hostile: string[] } }
).HOTSPAN_TEST
const refuse = (): never => {
  throw new Error('refused')
}
for (const kind of hostile) {
  if (kind === 'frozen fetch')
    Object.defineProperty(globalThis, 'fetch', { value: fetch, writable: false, configurable: false })
  if (kind === 'storage refused')
    for (const key of ['localStorage', 'sessionStorage'])
      Object.defineProperty(globalThis, key, { get: refuse })
  if (kind === 'no observers') Object.defineProperty(globalThis, 'PerformanceObserver', { value: refuse })
  if (kind === 'throwing timing') performance.getEntriesByType = refuse
  if (kind === 'history frozen') Object.freeze(history)
  if (kind === 'JSON overwritten') JSON.stringify = refuse
  if (kind === 'storage full') Storage.prototype.setItem = refuse
  if (kind === 'frozen Error') Object.freeze(Error)
  if (kind === 'throwing formatter')
    Object.defineProperty(Error, 'prepareStackTrace', { get: refuse, set: refuse })
  if (kind === 'objects have more') Object.assign(Object.prototype, { more: refuse })
  if (kind === 'throwing getters')
    for (const [owner, key] of [
      [Document.prototype, 'visibilityState'],
      [Document.prototype, 'hidden'],
      [Element.prototype, 'classList'],
      [PerformanceEntry.prototype, 'startTime'],
      [Response.prototype, 'status'],
    ] as const)
      Object.defineProperty(owner, key, { get: refuse })
  if (kind === 'no crypto') Object.defineProperty(globalThis, 'crypto', { get: refuse })
}
const seen: string[] = []
addEventListener('error', (event) => seen.push(event.message))
addEventListener('unhandledrejection', (event) => seen.push(`${event.reason}`))
try {
  hotspan.init({ ...options, service: 'hostile' })
} catch (error) {
  seen.push(`init threw ${error}`)
}
Object.assign(globalThis, { hotspan, seen })
