import { existsSync, readFileSync } from 'node:fs'
import { access, constants, mkdir, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { findChrome } from '@hotspan/loadtests'
import { agentRegisterPath } from '../process/agent-environment.ts'
import { shownPath } from '../process/shown-path.ts'
import { formatQuantity } from '../render/numbers.ts'
import { type DoctorCheck, ok } from './check.ts'

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!

/** The version itself was checked before this file was loaded. */
export const checkNode = (): DoctorCheck =>
  ok('node', `Node ${process.versions.node} on ${process.platform}-${process.arch}`, 'everything')

export const checkChromium = (): DoctorCheck => {
  const neededBy = 'lighthouse'
  try {
    return ok('chromium', findChrome(), neededBy)
  } catch (error) {
    return {
      id: 'chromium',
      state: 'missing',
      found: messageOf(error),
      neededBy,
      fix: 'Debian: apt-get install chromium; elsewhere install Chrome, or set CHROME_PATH',
    }
  }
}

/** Version in the manifest of the package whose `dist` holds the file. */
const versionBeside = (file: string): string => {
  const manifest = JSON.parse(readFileSync(join(dirname(file), '..', 'package.json'), 'utf8')) as {
    version?: string
  }
  return manifest.version ?? 'of unknown version'
}

export const checkAgent = (): DoctorCheck => {
  const neededBy = 'dev -- COMMAND'
  try {
    const file = agentRegisterPath()
    if (existsSync(file)) return ok('agent', `@hotspan/agent ${versionBeside(file)}`, neededBy)
    return {
      id: 'agent',
      state: 'missing',
      found: `${shownPath(file)} is not there`,
      neededBy,
      fix: 'reinstall hotspan: npm install hotspan',
    }
  } catch (error) {
    return {
      id: 'agent',
      state: 'missing',
      found: messageOf(error),
      neededBy,
      fix: 'npm install @hotspan/agent',
    }
  }
}

/** The profiler is optional: stalls are found without it, but no function is named. */
export const checkProfiler = (): DoctorCheck => {
  const neededBy = 'naming the function of an event-loop stall'
  try {
    import.meta.resolve('@datadog/pprof')
    return ok('profiler', '@datadog/pprof', neededBy)
  } catch {
    return {
      id: 'profiler',
      state: 'warning',
      found: '@datadog/pprof is not installed',
      neededBy,
      fix: 'npm install @datadog/pprof',
    }
  }
}

const leastFreeBytes = 1e9

/** The data directory can be made and written, and the disk has room for a day of spans. */
export const checkDataDirectory = async (dataDir: string): Promise<DoctorCheck[]> => {
  const neededBy = 'dev, collector, analyze, load'
  let existing = dataDir
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing)
  try {
    await mkdir(existing, { recursive: true })
    await access(existing, constants.W_OK)
  } catch (error) {
    return [
      {
        id: 'data directory',
        state: 'missing',
        found: `${shownPath(dataDir)} cannot be written: ${messageOf(error)}`,
        neededBy,
        fix: 'name another one: --data-dir DIR or HOTSPAN_DATA_DIR',
      },
    ]
  }
  const there = existing === dataDir
  const disk = await statfs(existing)
  const freeBytes = disk.bavail * disk.bsize
  const free = `${formatQuantity(freeBytes, 'By')} free`
  return [
    ok('data directory', `${shownPath(dataDir)}${there ? '' : ' (will be made)'}`, neededBy),
    freeBytes >= leastFreeBytes
      ? ok('disk', free, neededBy)
      : {
          id: 'disk',
          state: 'warning',
          found: free,
          neededBy,
          fix: 'free at least 1 GB, or name a directory on another disk: --data-dir DIR',
        },
  ]
}
