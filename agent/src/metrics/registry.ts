import type { Metric, ScopeMetrics } from '@hotspan/otlp'
import { epochNs } from '../logs/log-queue.ts'
import { Instrument, type InstrumentDescription } from './instrument.ts'

/** Observations that take longer are left to the next collection, ms. */
const OBSERVE_MS = 5000

/** A function that reports values when they are collected. */
export type Observer = () => void | Promise<void>

interface OpenScope {
  readonly name: string
  readonly version: string
  readonly instruments: Map<string, Instrument>
}

/** All instruments of this thread, by scope. */
export class Registry {
  private readonly scopes = new Map<string, OpenScope>()
  private readonly observed = new Set<Instrument>()
  private readonly observers = new Set<Observer>()
  private readonly startNs = epochNs(Date.now())
  private collecting: Promise<ScopeMetrics[]> | undefined

  /** The same name in one scope is the same instrument; the first description stays. */
  instrument(scope: string, version: string, description: InstrumentDescription): Instrument {
    const key = `${scope}@${version}`
    let open = this.scopes.get(key)
    if (open === undefined) {
      open = { name: scope, version, instruments: new Map() }
      this.scopes.set(key, open)
    }
    const name = description.name.toLowerCase()
    let instrument = open.instruments.get(name)
    if (instrument === undefined) {
      instrument = new Instrument(description)
      open.instruments.set(name, instrument)
    }
    return instrument
  }

  /** Values of an observed instrument stand for one collection. */
  observe(instrument: Instrument): void {
    this.observed.add(instrument)
  }

  /** Whether a metric's values are reported when they are collected. */
  isObserved(scope: string, metric: string): boolean {
    for (const { name, instruments } of this.scopes.values()) {
      const instrument = name === scope ? instruments.get(metric.toLowerCase()) : undefined
      if (instrument !== undefined && this.observed.has(instrument)) return true
    }
    return false
  }

  addObserver(observer: Observer): void {
    this.observers.add(observer)
  }

  removeObserver(observer: Observer): void {
    this.observers.delete(observer)
  }

  /** Everything measured so far. Two readers at once share one collection. */
  collect(forgetExemplars: boolean): Promise<ScopeMetrics[]> {
    this.collecting ??= this.gather(forgetExemplars).finally(() => {
      this.collecting = undefined
    })
    return this.collecting
  }

  private async gather(forgetExemplars: boolean): Promise<ScopeMetrics[]> {
    for (const instrument of this.observed) instrument.forgetNumbers()
    await withinTime([...this.observers].map(run), OBSERVE_MS)
    const window = { startNs: this.startNs, nowNs: epochNs(Date.now()) }
    const collected: ScopeMetrics[] = []
    for (const { name, version, instruments } of this.scopes.values()) {
      const metrics: Metric[] = []
      for (const instrument of instruments.values()) {
        const metric = instrument.collect(window)
        if (metric !== undefined) metrics.push(metric)
        if (forgetExemplars) instrument.forgetExemplars()
      }
      if (metrics.length === 0) continue
      const scope = { name, version, attributes: [], droppedAttributesCount: 0 }
      collected.push({ scope, schemaUrl: '', metrics })
    }
    return collected
  }
}

/** An observer of the app's may throw: the others are asked all the same. */
async function run(observer: Observer): Promise<void> {
  try {
    await observer()
  } catch {
    // The app's own fault, and its value is missing.
  }
}

async function withinTime(work: Promise<void>[], ms: number): Promise<void> {
  if (work.length === 0) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms)
    timer.unref()
  })
  await Promise.race([Promise.all(work), late])
  clearTimeout(timer)
}
