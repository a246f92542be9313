export type Method = (this: unknown, ...args: unknown[]) => unknown

export type WrappableClass = { prototype: object }

const WRAPPED = Symbol('hotspan.wrapped')

/** Replaces a method in place, with the name and length of the original. Twice is once; a method that is absent stays so. */
export function wrapMethod(
  prototype: object,
  name: string | symbol,
  make: (original: Method) => Method,
): void {
  const methods = prototype as Record<string | symbol, (Method & { [WRAPPED]?: boolean }) | undefined>
  const original = methods[name]
  if (typeof original !== 'function' || original[WRAPPED] === true) return
  const replacement = make(original) as Method & { [WRAPPED]?: boolean }
  Object.defineProperty(replacement, 'name', { value: original.name, configurable: true })
  Object.defineProperty(replacement, 'length', { value: original.length, configurable: true })
  replacement[WRAPPED] = true
  methods[name] = replacement
}

export const isThenable = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function'
