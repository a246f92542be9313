import { CommanderError } from 'commander'
import { exitCode } from './exit-codes.ts'
import { createProgram } from './program.ts'
import { visibleLines } from './render/visible-text.ts'
import { reportError } from './run-error.ts'

const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })

/** Parses the command line, runs the command and ends the process with its code. */
export const run = async (argv: readonly string[]): Promise<void> => {
  // A closed pipe (`hotspan analyze | head`) is the reader's decision, not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? exitCode.pass : exitCode.internal)
  })
  let exit: number = exitCode.pass
  try {
    const program = createProgram((code) => {
      exit = code
    })
    await program.parseAsync(argv)
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its message already; help and version arrive here with code 0.
      exit = error.exitCode === 0 ? exitCode.pass : exitCode.usage
    } else {
      const report = reportError(error, process.env.HOTSPAN_DEBUG === '1')
      process.stderr.write(`${visibleLines(report.text)}\n`)
      exit = report.exit
    }
  }
  await drained(process.stdout)
  process.exit(exit)
}
