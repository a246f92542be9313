import { guard } from './guard.ts'
import { onHide } from './lifecycle.ts'

/** Reads performance entries as they come, and those still under way when the page is hidden; a type that this browser lacks never comes. */
export const observe = <E extends PerformanceEntry>(
  type: string,
  read: (entry: E) => void,
  options?: { readonly durationThreshold?: number; readonly buffered?: boolean },
): void => {
  if (!PerformanceObserver.supportedEntryTypes.includes(type)) return
  const guarded = guard(read)
  const readAll = (entries: PerformanceEntryList) => {
    for (const entry of entries) guarded(entry as E)
  }
  const observer = new PerformanceObserver((list) => readAll(list.getEntries()))
  observer.observe({ type, ...options })
  onHide(() => readAll(observer.takeRecords()), true)
}

export interface LargestPaint extends PerformanceEntry {
  readonly url: string
  readonly element: Element | null
  readonly renderTime: number
}

/** Entries that the browser keeps although `getEntriesByType` does not tell them, read at once, without anybody who listens. */
export const recorded = <E extends PerformanceEntry>(type: string): E[] => {
  const observer = new PerformanceObserver(() => {})
  observer.observe({ type, buffered: true })
  const entries = observer.takeRecords()
  observer.disconnect()
  return entries as E[]
}
