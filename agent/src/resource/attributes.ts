/** Values that a resource attribute may have here. */
export type ResourceValue = string | number | boolean

export type ResourceAttributes = Record<string, ResourceValue>

/** Environment and files as a detector sees them; a test hands in those of another machine. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of a small file, undefined when it cannot be read. */
  readonly readFile: (path: string) => string | undefined
}

/** The pairs whose value is known. */
export function known(pairs: Record<string, ResourceValue | undefined>): ResourceAttributes {
  const attributes: ResourceAttributes = {}
  for (const [key, value] of Object.entries(pairs)) {
    if (value !== undefined && value !== '' && !Number.isNaN(value)) attributes[key] = value
  }
  return attributes
}
