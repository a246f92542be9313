import { options } from './options.ts'

/** A path with ids (numbers, hex of 8 and more digits, UUIDs), mail addresses and very long parts replaced. */
export const templatePath = (path: string): string =>
  path.replace(/[^/]+/g, (part) => (/^\d+$|^(?=.*\d)[0-9a-f-]{8,}$|@|%40|^.{65}/i.test(part) ? ':id' : part))

/** The route of a path, as the application or else the URL tells. */
export const routeOf = (path: string): string => options.routeOf?.(path) ?? templatePath(path)

/** No credentials, no fragment, the path as a template, query values only where the key is allowed. */
export const scrubUrl = (raw: string): string => {
  const url = new URL(raw, document.baseURI)
  // data: and blob: URLs carry content.
  if (!/^(http|ws)/.test(url.protocol)) return url.protocol
  const { searchParams } = url
  for (const key of [...searchParams.keys()])
    if (!options.allowQuery?.includes(key)) searchParams.set(key, '-')
  const clean = url.origin + templatePath(url.pathname) + url.search
  return options.scrubUrl?.(clean) ?? clean
}
