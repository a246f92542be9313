/** The one table of exit codes; `--help` and the pages under `docs/` name the same. */
export const exitCode = {
  /** Did what was asked; every budget held. */
  pass: 0,
  /** A budget or a comparison failed. */
  fail: 1,
  /** The command line, the configuration or the set-up is wrong; nothing was judged. */
  usage: 2,
  /** Judged, but the data cannot tell pass from fail. */
  inconclusive: 3,
  /** Done, but a part of the input could not be read; what it was is on stderr. */
  partial: 4,
  /** Hotspan's own fault: please report it. */
  internal: 70,
} as const
export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export const exitCodeHelp = `Exit codes:
  0   done, or every budget holds
  1   a budget or a comparison failed
  2   usage or set-up error: nothing was judged
  3   inconclusive: the data cannot tell
  4   done in part: some of the input could not be read
  70  Hotspan's own fault`
