/** The command line that makes a run, as it can be typed again; addresses lose their passwords. */
export const typedCommand = (): string[] =>
  ['hotspan', ...process.argv.slice(2)].map((word) => word.replace(/^(https?:\/\/)[^/@\s]+@/, '$1***@'))
