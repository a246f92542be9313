import { isAbsolute, relative } from 'node:path'

/** A path as a person in the working directory would type it. */
export const shownPath = (path: string): string => {
  const near = relative(process.cwd(), path)
  return near === '' ? '.' : near.startsWith('..') || isAbsolute(near) ? path : near
}

/** The command line that made a run, as it can be typed again; addresses lose their passwords. */
export const typedCommand = (): string[] =>
  ['hotspan', ...process.argv.slice(2)].map((word) => word.replace(/^(https?:\/\/)[^/@\s]+@/, '$1***@'))
