import {
  constants,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8'
import type { Instrument, InstrumentKind } from './instrument.ts'
import type { Registry } from './registry.ts'

/** Beat of the delay histogram, ms; Node's timer thread keeps it. */
const DELAY_RESOLUTION_MS = 20

const GC_TYPES: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/**
 * Event loop, garbage collector, heap, CPU and memory of this process by semantic convention. Read when metrics are collected;
 * in between only Node's own delay timer and the notice of each collection run. Returns a function that ends it.
 */
export function startRuntimeMetrics(registry: Registry, scope: string, version: string): () => void {
  const make = (
    kind: InstrumentKind,
    name: string,
    unit: string,
    description: string,
    bounds?: readonly number[],
  ): Instrument => {
    const isInt = unit === 'By' || unit.startsWith('{')
    const instrument = registry.instrument(scope, version, { kind, name, unit, description, isInt, bounds })
    if (kind !== 'histogram') registry.observe(instrument)
    return instrument
  }

  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delay.enable()
  const delays = (['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const).map(
    (name) =>
      [name, make('gauge', `nodejs.eventloop.delay.${name}`, 's', `Event loop delay, ${name}.`)] as const,
  )
  const loopTime = make('counter', 'nodejs.eventloop.time', 's', 'Time of the event loop by state.')
  const utilization = make('gauge', 'nodejs.eventloop.utilization', '1', 'Event loop utilization.')
  const gc = make('histogram', 'v8js.gc.duration', 's', 'Garbage collections.', [0.01, 0.1, 1, 10])
  const heapLimit = make('up-down-counter', 'v8js.memory.heap.limit', 'By', 'Limit of the heap.')
  const spaces = [
    ['space_used_size', make('up-down-counter', 'v8js.memory.heap.used', 'By', 'Heap in use, by space.')],
    ['space_size', make('up-down-counter', 'v8js.memory.heap.space.size', 'By', 'Size of a heap space.')],
    [
      'space_available_size',
      make('up-down-counter', 'v8js.memory.heap.space.available_size', 'By', 'Free in a heap space.'),
    ],
    [
      'physical_space_size',
      make(
        'up-down-counter',
        'v8js.memory.heap.space.physical_size',
        'By',
        'Memory committed to a heap space.',
      ),
    ],
  ] as const
  const resources = make(
    'up-down-counter',
    'v8js.resource.active',
    '{resource}',
    'What keeps the loop alive.',
  )
  const cpuTime = make('counter', 'process.cpu.time', 's', 'CPU time of the process.')
  const memory = make('up-down-counter', 'process.memory.usage', 'By', 'Resident memory.')
  const uptime = make('gauge', 'process.uptime', 's', 'Age of the process.')

  const collections = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as (PerformanceEntry & { detail?: { kind?: number } })[]) {
      const type = GC_TYPES[entry.detail?.kind ?? -1]
      if (type !== undefined) gc.histogram({ 'v8js.gc.type': type }).record(entry.duration / 1000, undefined)
    }
  })
  collections.observe({ entryTypes: ['gc'] })

  let before = performance.eventLoopUtilization()
  const observe = (): void => {
    for (const [name, instrument] of delays) {
      const ns = name.startsWith('p') ? delay.percentile(Number(name.slice(1))) : delay[name as 'min']
      // Nothing counted yet: the smallest is the largest number and the mean is none.
      if (delay.count > 0 && Number.isFinite(ns)) instrument.number(undefined).value = ns / 1e9
    }
    delay.reset()
    const now = performance.eventLoopUtilization()
    utilization.number(undefined).value = performance.eventLoopUtilization(now, before).utilization
    before = now
    loopTime.number({ 'nodejs.eventloop.state': 'active' }).value = now.active / 1000
    loopTime.number({ 'nodejs.eventloop.state': 'idle' }).value = now.idle / 1000
    heapLimit.number(undefined).value = getHeapStatistics().heap_size_limit
    for (const space of getHeapSpaceStatistics()) {
      const attributes = { 'v8js.heap.space.name': space.space_name }
      for (const [field, instrument] of spaces) instrument.number(attributes).value = space[field]
    }
    const active = (process as { getActiveResourcesInfo?: () => string[] }).getActiveResourcesInfo?.() ?? []
    for (const type of active) resources.number({ 'v8js.resource.type': type }).value++
    const cpu = process.cpuUsage()
    cpuTime.number({ 'cpu.mode': 'user' }).value = cpu.user / 1e6
    cpuTime.number({ 'cpu.mode': 'system' }).value = cpu.system / 1e6
    memory.number(undefined).value = process.memoryUsage.rss()
    uptime.number(undefined).value = process.uptime()
  }
  registry.addObserver(observe)
  return () => {
    registry.removeObserver(observe)
    collections.disconnect()
    delay.disable()
  }
}
