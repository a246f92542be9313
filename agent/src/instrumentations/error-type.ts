/** `error.type`: a code when there is one, else the error's class; low in number by nature. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error
  const { code, name } = error as { code?: unknown; name?: unknown }
  if (typeof code === 'string' && code !== '') return code
  if (typeof name === 'string' && name !== '') return name
  return '_OTHER'
}
