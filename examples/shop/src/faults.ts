/**
 * The performance faults that the shop can be started with. This file is the only place that knows their names; each is off
 * unless `SHOP_FAULTS` lists it. README.md says what each one does in code and which detector finds it.
 */
export const faultNames = [
  'missing-index',
  'n-plus-one',
  'serial-calls',
  'inference-on-main-thread',
  'model-per-request',
  'context-recreated',
  'oversized-bundle',
  'uncached-assets',
  'small-pool',
  'repeated-query',
] as const

export type FaultName = (typeof faultNames)[number]
export type Faults = ReadonlySet<FaultName>

/** `SHOP_FAULTS` or a caller named a fault that does not exist. */
export class UnknownFaultError extends Error {
  readonly code = 'SHOP_UNKNOWN_FAULT'
}

const isFaultName = (name: string): name is FaultName => (faultNames as readonly string[]).includes(name)

/**
 * Reads a comma-separated list of faults; `all` switches every one on, nothing switches none on.
 * @throws UnknownFaultError with the list of valid names
 */
export function parseFaults(list: string | undefined): Faults {
  const names = (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.includes('all')) return new Set(faultNames)
  return new Set(
    names.map((name) => {
      if (isFaultName(name)) return name
      throw new UnknownFaultError(`unknown fault "${name}"; valid: all, ${faultNames.join(', ')}`)
    }),
  )
}

/** The form that {@link parseFaults} reads, in the order of {@link faultNames}. */
export const formatFaults = (faults: Faults): string =>
  faultNames.filter((name) => faults.has(name)).join(',')
