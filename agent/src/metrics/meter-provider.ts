import {
  type Attributes,
  type BatchObservableCallback,
  type Context,
  type Meter,
  type MeterProvider,
  type MetricOptions,
  type Observable,
  type ObservableCallback,
  ValueType,
} from '@opentelemetry/api'
import { SPAN_KEY } from '../core/context-keys.ts'
import { active } from '../core/runtime.ts'
import { AgentSpan } from '../core/span.ts'
import type { Instrument, InstrumentKind } from './instrument.ts'
import type { Observer, Registry } from './registry.ts'

/** The API's provider of meters over our registry. */
export class AgentMeterProvider implements MeterProvider {
  private readonly registry: Registry

  constructor(registry: Registry) {
    this.registry = registry
  }

  getMeter(name: string, version?: string): Meter {
    return new AgentMeter(this.registry, name || 'unknown', version ?? '')
  }
}

class AgentMeter implements Meter {
  private readonly registry: Registry
  private readonly scope: string
  private readonly version: string
  private readonly batches = new Map<BatchObservableCallback, Observer>()

  constructor(registry: Registry, scope: string, version: string) {
    this.registry = registry
    this.scope = scope
    this.version = version
  }

  createCounter(name: string, options?: MetricOptions) {
    const instrument = this.make('counter', name, options)
    return {
      add(value: number, attributes?: Attributes) {
        // A counter never falls (metrics API specification).
        if (value >= 0) instrument.number(attributes).value += value
      },
    }
  }

  createUpDownCounter(name: string, options?: MetricOptions) {
    const instrument = this.make('up-down-counter', name, options)
    return {
      add(value: number, attributes?: Attributes) {
        if (Number.isFinite(value)) instrument.number(attributes).value += value
      },
    }
  }

  createGauge(name: string, options?: MetricOptions) {
    const instrument = this.make('gauge', name, options)
    return {
      record(value: number, attributes?: Attributes) {
        if (typeof value === 'number') instrument.number(attributes).value = value
      },
    }
  }

  createHistogram(name: string, options?: MetricOptions) {
    const instrument = this.make('histogram', name, options)
    return {
      record(value: number, attributes?: Attributes, context?: Context) {
        if (!(value >= 0)) return
        const span = (context ?? active.getStore())?.getValue(SPAN_KEY)
        instrument.histogram(attributes).record(value, span instanceof AgentSpan ? span : undefined)
      },
    }
  }

  createObservableCounter(name: string, options?: MetricOptions): Observable {
    return this.observable('counter', name, options)
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): Observable {
    return this.observable('up-down-counter', name, options)
  }

  createObservableGauge(name: string, options?: MetricOptions): Observable {
    return this.observable('gauge', name, options)
  }

  addBatchObservableCallback(callback: BatchObservableCallback): void {
    if (this.batches.has(callback)) return
    const observer: Observer = () =>
      callback({
        observe(metric, value, attributes) {
          if (metric instanceof AgentObservable) metric.set(value, attributes)
        },
      })
    this.batches.set(callback, observer)
    this.registry.addObserver(observer)
  }

  removeBatchObservableCallback(callback: BatchObservableCallback): void {
    const observer = this.batches.get(callback)
    if (observer === undefined) return
    this.batches.delete(callback)
    this.registry.removeObserver(observer)
  }

  private make(kind: InstrumentKind, name: string, options: MetricOptions | undefined): Instrument {
    return this.registry.instrument(this.scope, this.version, {
      kind,
      name: String(name),
      description: options?.description ?? '',
      unit: options?.unit ?? '',
      isInt: options?.valueType === ValueType.INT,
      bounds: options?.advice?.explicitBucketBoundaries,
    })
  }

  private observable(kind: InstrumentKind, name: string, options: MetricOptions | undefined): Observable {
    const instrument = this.make(kind, name, options)
    this.registry.observe(instrument)
    return new AgentObservable(this.registry, instrument)
  }
}

class AgentObservable implements Observable {
  private readonly registry: Registry
  private readonly instrument: Instrument
  private readonly observers = new Map<ObservableCallback, Observer>()

  constructor(registry: Registry, instrument: Instrument) {
    this.registry = registry
    this.instrument = instrument
  }

  addCallback(callback: ObservableCallback): void {
    if (this.observers.has(callback)) return
    const observer: Observer = () => callback({ observe: (value, attributes) => this.set(value, attributes) })
    this.observers.set(callback, observer)
    this.registry.addObserver(observer)
  }

  removeCallback(callback: ObservableCallback): void {
    const observer = this.observers.get(callback)
    if (observer === undefined) return
    this.observers.delete(callback)
    this.registry.removeObserver(observer)
  }

  set(value: number, attributes: Attributes | undefined): void {
    if (typeof value === 'number') this.instrument.number(attributes).value = value
  }
}
