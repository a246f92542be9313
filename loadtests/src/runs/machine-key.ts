import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'

/**
 * 16 hex digits over everything that makes two machines incomparable: CPU model and flags, cores and cgroup quota, memory, kernel,
 * architecture, Node version. Runs of another key are history, never compared.
 */
export function machineKey(): string {
  const facts = [
    cpus()[0]?.model ?? '',
    cpuFlags(),
    availableParallelism(),
    // cgroup v2, then v1; neither exists outside Linux.
    read('/sys/fs/cgroup/cpu.max') || read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'),
    Math.round(totalmem() / 2 ** 20),
    process.platform,
    process.arch,
    release(),
    process.version,
  ]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16)
}

function cpuFlags(): string {
  return /^(?:flags|Features)\s*:\s*(.*)$/m.exec(read('/proc/cpuinfo'))?.[1] ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return ''
  }
}
