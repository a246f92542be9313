import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { missingSetUp } from '../errors.ts'
import { onStopSignals } from './signals.ts'

/** How the command ended. */
export interface ChildEnd {
  /** The child's exit code, or 128 + the number of the signal that ended it. */
  readonly exitCode: number
}

/**
 * Runs a command with our terminal and ends with it. Signals are forwarded to the child's whole process group, so that `npm run` and
 * shells pass on nothing wrong. With a terminal on stdin the child shares our group and the terminal itself delivers Ctrl-C; then only
 * signals sent to us alone are forwarded. A second signal kills.
 */
export const runChild = (command: readonly string[], env: NodeJS.ProcessEnv): Promise<ChildEnd> =>
  new Promise((resolve, reject) => {
    const [file = '', ...args] = command
    const ownGroup = process.stdin.isTTY !== true && process.platform !== 'win32'
    const child = spawn(file, args, { stdio: 'inherit', env, detached: ownGroup })
    const send = (signal: NodeJS.Signals): void => {
      if (child.pid === undefined) return
      try {
        if (ownGroup) process.kill(-child.pid, signal)
        else child.kill(signal)
      } catch {
        // Gone already.
      }
    }
    let asked = 0
    const stopListening = onStopSignals((signal) => {
      asked += 1
      if (asked > 1) send('SIGKILL')
      else if (ownGroup || signal !== 'SIGINT') send(signal)
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      stopListening()
      const why = error.code === 'ENOENT' ? 'there is no such program' : error.message
      reject(
        missingSetUp(
          `${file} cannot be started: ${why}`,
          'Write the command as in a shell: hotspan dev -- node app.js',
        ),
      )
    })
    child.once('exit', (code, signal) => {
      stopListening()
      // Whatever the command left behind in its group ends with it.
      if (ownGroup) send('SIGTERM')
      resolve({ exitCode: code ?? 128 + (signal === null ? 0 : (constants.signals[signal] ?? 0)) })
    })
  })
