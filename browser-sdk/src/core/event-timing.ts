import { observe } from './observe.ts'

/** Entries cannot be asked for later, and an interaction is made of several: the last of them are kept. */
const KEPT = 200

const readers: ((entry: PerformanceEventTiming) => void)[] = []

export let recentEvents: PerformanceEventTiming[] = []

/** Input that took 16 ms and more, which is as short as browsers tell. */
export const onEventTiming = (read: (entry: PerformanceEventTiming) => void): void => {
  if (readers.push(read) > 1) return
  const keep = (entry: PerformanceEventTiming) => {
    recentEvents = [...recentEvents.slice(1 - KEPT), entry]
    for (const each of readers) each(entry)
  }
  observe('event', keep, { durationThreshold: 16, buffered: true })
}
