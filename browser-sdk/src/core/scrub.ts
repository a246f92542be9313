import { options } from './options.ts'

/** A path with ids (numbers, hex of 8 and more digits, UUIDs), mail addresses and very long parts replaced. */
export const templatePath = (path: string): string =>
  path.replace(/[^/]+/g, (part) => (/^\d+$|^(?=.*\d)[0-9a-f-]{8,}$|@|%40|^.{65}/i.test(part) ? ':id' : part))

/** No credentials, no fragment, query values only where the key is allowed, mail addresses in the path replaced. */
export const scrubUrl = (raw: string): string => {
  const url = new URL(raw, document.baseURI)
  // data: and blob: URLs carry content.
  if (!/^(http|ws)/.test(url.protocol)) return url.protocol
  const query = [...url.searchParams].map(
    ([key, value]) =>
      encodeURIComponent(key) + '=' + (options.allowQuery?.includes(key) ? encodeURIComponent(value) : '-'),
  )
  const clean =
    url.origin +
    url.pathname.replace(/[^/]*(@|%40)[^/]*/gi, ':mail') +
    (query.length ? '?' + query.join('&') : '')
  return options.scrubUrl ? options.scrubUrl(clean) : clean
}
