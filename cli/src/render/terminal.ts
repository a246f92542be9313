import picocolors from 'picocolors'

export type Colors = ReturnType<typeof picocolors.createColors>

export const colors = (enabled: boolean): Colors => picocolors.createColors(enabled)

/** `NO_COLOR` (any value but empty) wins, then `FORCE_COLOR`, then whether a terminal reads the stream. */
export const wantsColor = (stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean => {
  if ((env.NO_COLOR ?? '') !== '') return false
  if ((env.FORCE_COLOR ?? '') !== '' && env.FORCE_COLOR !== '0') return true
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** Columns to write in: the terminal's, at least 60; 80 when nobody tells. */
export const columnsOf = (stream: { readonly isTTY?: boolean; readonly columns?: number }): number =>
  stream.isTTY === true && stream.columns !== undefined ? Math.max(60, stream.columns) : 80

/** Lines of at most `width` characters, broken at spaces; a longer word stands alone, uncut, so that it can be copied. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line === '') line = word
    else if (line.length + 1 + word.length <= width) line += ` ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  if (line !== '') lines.push(line)
  return lines
}
