import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/**
 * What tells this process from a later one with the same id: boot and start tick on Linux, the start time elsewhere. '' when
 * there is no such process.
 */
export function processStart(pid: number): string {
  if (!Number.isInteger(pid) || pid <= 0) return ''
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      // The command name is in parentheses and may hold spaces; the fields behind it are numbers, the start tick is no. 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      // A zombie holds nothing any more.
      if (fields[0] === 'Z' || fields[0] === 'X') return ''
      return `${bootId()}:${fields[19]}`
    } catch {
      return ''
    }
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

let boot: string | null = null

function bootId(): string {
  if (boot === null) {
    try {
      boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    } catch {
      boot = ''
    }
  }
  return boot
}

export function isRunning(pid: number, start: string): boolean {
  return start !== '' && processStart(pid) === start
}
