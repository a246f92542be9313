import type { Endpoint } from '@hotspan/loadtests'

export const endpointExpected =
  "a path such as /products, with a method and a weight if needed: 'POST /cart x2'"

/** `[METHOD] /path [xWEIGHT]`. */
export const parseEndpoint = (text: string): Endpoint | undefined => {
  const match = /^(?:([A-Z]{3,10})\s+)?(\/[^\s#]*)(?:\s+x(\d+(?:\.\d+)?))?$/.exec(text.trim())
  if (!match) return undefined
  const [, method = 'GET', path = '/', weight] = match
  if (weight !== undefined && Number(weight) <= 0) return undefined
  return {
    name: `${method} ${path.split('?')[0]}`,
    method,
    path,
    ...(weight === undefined ? {} : { weight: Number(weight) }),
  }
}
