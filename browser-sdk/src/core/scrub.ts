import { options } from './options.ts'

/**
 * A path with ids (numbers, hex of 8 and more digits, UUIDs), mail addresses and parts of 20 and more characters replaced; scripts and
 * styles of a build keep their names.
 */
export const templatePath = (path: string): string =>
  path.replace(/[^/]+/g, (part) =>
    /^\d+$|^(?=.*\d)[0-9a-f-]{8,}$|@|%40|^(?!.*\.(js|css)$).{20}/i.test(part) ? ':id' : part,
  )

/** The route of a path, as the application or else the URL tells. */
export const routeOf = (path: string): string => options.routeOf?.(path) ?? templatePath(path)

/** No credentials, no fragment, the path as a template, query values only where the key is allowed. */
export const scrubUrl = (raw: string | URL): string => {
  const { protocol, origin, pathname, search } =
    typeof raw === 'string' ? new URL(raw, document.baseURI) : raw
  // data: and blob: URLs carry content.
  if (!/^(http|ws)/.test(protocol)) return protocol
  let clean = origin + templatePath(pathname)
  if (search) {
    const query = new URLSearchParams()
    for (const [key, value] of new URLSearchParams(search))
      if (options.allowQuery?.includes(key)) query.append(key, value)
      else query.set(templatePath(key), '-')
    clean += `?${query}`
  }
  return options.scrubUrl?.(clean) ?? clean
}

/** A message or a stack: values of queries, mail addresses and credentials of URLs are replaced. */
export const scrubText = (text: string): string =>
  text.replace(/([?&;][^\s=&?]+=)[^\s&;:"')]+|[^\s"'<>()=/]+@[\w-]+\.[\w.-]+/g, '$1-')
