import { isAbsolute, relative } from 'node:path'

/** A path as a person in the working directory would type it. */
export const shownPath = (path: string): string => {
  const near = relative(process.cwd(), path)
  return near === '' ? '.' : near.startsWith('..') || isAbsolute(near) ? path : near
}
