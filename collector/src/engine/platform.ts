import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { CollectorError } from '../errors.ts'

const wayOut =
  'Set HOTSPAN_CLICKHOUSE_URL to a ClickHouse server (for example http://user:password@host:8123) and the same queries run there.'

/** What the check looks at, so that a test can describe another machine. */
export interface Machine {
  readonly platform: string
  readonly arch: string
  /** glibc version, '' when the C library is another one (musl). Only asked on Linux. */
  readonly glibcVersion: string
  /** CPU flags of the first core as the kernel lists them, '' when unknown. */
  readonly cpuFlags: string
}

/** Why the embedded engine cannot run on this machine, or null. Looked at before the library is loaded: it would crash, not throw. */
export function unsupportedReason(machine: Machine): string | null {
  const { platform, arch } = machine
  if (platform !== 'linux' && platform !== 'darwin') {
    return `the embedded engine (chdb) does not run on ${platform}. ${wayOut}`
  }
  if (arch !== 'x64' && arch !== 'arm64') {
    return `the embedded engine (chdb) is built for x64 and arm64, this is ${arch}. ${wayOut}`
  }
  if (platform === 'linux' && machine.glibcVersion === '') {
    return `the embedded engine (chdb) needs glibc; this system has another C library (musl, as in Alpine). ${wayOut}`
  }
  if (
    platform === 'linux' &&
    arch === 'x64' &&
    machine.cpuFlags !== '' &&
    !/\bavx2\b/.test(machine.cpuFlags)
  ) {
    return `the embedded engine (chdb) needs a CPU with AVX2; this one has none. ${wayOut}`
  }
  return null
}

export function thisMachine(): Machine {
  let cpuFlags = ''
  let glibcVersion = ''
  if (process.platform === 'linux') {
    try {
      cpuFlags = /^flags\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? ''
    } catch {
      // No /proc: unknown flags are not a reason to refuse.
    }
    // Without this the report looks up every network interface, which can take seconds.
    ;(process.report as { excludeNetwork?: boolean }).excludeNetwork = true
    const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
    glibcVersion = report.header?.glibcVersionRuntime ?? ''
  }
  return { platform: process.platform, arch: process.arch, glibcVersion, cpuFlags }
}

/** Path of the chdb package. Throws `HS_ENGINE_PLATFORM` or `HS_ENGINE_MISSING`, each with the way out. */
export function locateEngine(machine: Machine = thisMachine()): string {
  const reason = unsupportedReason(machine)
  if (reason !== null) throw new CollectorError('HS_ENGINE_PLATFORM', reason)
  try {
    return createRequire(import.meta.url).resolve('chdb')
  } catch (cause) {
    throw new CollectorError(
      'HS_ENGINE_MISSING',
      `the optional package chdb is not installed; install it (npm install chdb@3.4.0). Or: ${wayOut}`,
      { cause },
    )
  }
}
