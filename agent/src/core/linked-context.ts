import type { Context } from '@opentelemetry/api'
import { SUPPRESS_TRACING_KEY } from './context-keys.ts'

/** One value on top of another context: setting a value allocates a pair, never a copied map. */
export class LinkedContext implements Context {
  private readonly parent: Context
  private readonly key: symbol
  private readonly value: unknown

  constructor(parent: Context, key: symbol, value: unknown) {
    this.parent = parent
    this.key = key
    this.value = value
  }

  getValue(key: symbol): unknown {
    return key === this.key ? this.value : this.parent.getValue(key)
  }

  setValue(key: symbol, value: unknown): Context {
    return new LinkedContext(this, key, value)
  }

  deleteValue(key: symbol): Context {
    return new LinkedContext(this, key, undefined)
  }
}

/** Context without a value: the bottom of every chain. */
export const EMPTY_CONTEXT: Context = {
  getValue: () => undefined,
  setValue: (key, value) => new LinkedContext(EMPTY_CONTEXT, key, value),
  deleteValue: () => EMPTY_CONTEXT,
}

/** In this context nothing is traced: our own sender runs in it. */
export const SUPPRESSED_CONTEXT: Context = new LinkedContext(EMPTY_CONTEXT, SUPPRESS_TRACING_KEY, true)
