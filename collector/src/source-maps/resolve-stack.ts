import type { BuildMaps } from './source-maps.ts'

/** `    at async f (https://host/a.js:1:23)`, `    at https://host/a.js:1:23`, `f@https://host/a.js:1:23`. */
const frame = /^(?:(\s*at )(?:(async |new )?(.*?) \()?|([^\s@]*)@)(\w[\w+.-]*:\/\/[^\s()]+?):(\d+):(\d+)\)?$/

const pathOf = (url: string): string => url.replace(/^\w[\w+.-]*:\/\/[^/]*|[?#].*/g, '')

/** Paths of the scripts that a stack names. */
export function pathsOfStack(stack: string): string[] {
  return stack.split('\n').flatMap((line) => {
    const url = frame.exec(line)?.[5]
    return url === undefined ? [] : [pathOf(url)]
  })
}

/** A stack as browsers write it, with function, file, line and column of the source where the maps know them. */
export function resolveStack(stack: string, maps: BuildMaps): string {
  const lines = stack.split('\n').map((line) => {
    const [, at, prefix = '', name = '', geckoName, url = '', lineNo, column] = frame.exec(line) ?? []
    const place = url === '' ? undefined : maps.place(pathOf(url), Number(lineNo), Number(column))
    if (place === undefined) return line
    const where = `${place.file}:${place.line}:${place.column}`
    if (at === undefined) return `${place.name || (geckoName ?? '')}@${where}`
    return place.name === '' && name === ''
      ? `${at}${prefix}${where}`
      : `${at}${prefix}${place.name || name} (${where})`
  })
  return lines.join('\n')
}
