import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ContextAPI, MetricsAPI, PropagationAPI, TraceAPI } from '@opentelemetry/api'
import { fs } from '../node-modules.ts'

/** What is registered through one copy of `@opentelemetry/api`. */
export interface ApiCopy {
  readonly trace: TraceAPI
  readonly context: ContextAPI
  readonly propagation: PropagationAPI
  readonly metrics: MetricsAPI
}

/** Of the copy that is built into the agent; a test compares it with the package. */
export const OWN_API_VERSION = '1.10.0'

/**
 * The copy to register with. Consumers whose minor version is above the registering copy's silently get no-ops, so the app's
 * copy is used when it is newer than ours. Reads one package.json file, once, at start.
 */
export function newerApiCopy(ours: ApiCopy, mainScript: string | undefined): ApiCopy {
  try {
    const app = createRequire(mainScript ?? join(process.cwd(), 'package.json'))
    const [appMajor, appMinor] = versionAt(app.resolve('@opentelemetry/api'))
    const [ownMajor, ownMinor] = parsed(OWN_API_VERSION)
    if (appMajor === ownMajor && appMinor > ownMinor) return app('@opentelemetry/api') as ApiCopy
  } catch {
    // The app has none.
  }
  return ours
}

const parsed = (version: string): [major: number, minor: number] => {
  const [major, minor] = version.split('.').map(Number)
  return [major ?? 0, minor ?? 0]
}

/** Major and minor of the package that holds this file. */
function versionAt(file: string): [number, number] {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json')
    if (!fs.existsSync(path)) continue
    const { name, version } = JSON.parse(fs.readFileSync(path, 'utf8')) as { name?: string; version?: string }
    if (name !== '@opentelemetry/api' || version === undefined) continue
    return parsed(version)
  }
  return [0, 0]
}
