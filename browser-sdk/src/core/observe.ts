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
