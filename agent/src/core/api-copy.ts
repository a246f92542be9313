import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ContextAPI, MetricsAPI, PropagationAPI, TraceAPI } from '@opentelemetry/api'

/** What is registered through one copy of `@opentelemetry/api`. */
export interface ApiCopy {
  readonly trace: TraceAPI
  readonly context: ContextAPI
  readonly propagation: PropagationAPI
  readonly metrics: MetricsAPI
}

/**
 * The copy to register with. Consumers whose minor version is above the registering copy's silently get no-ops, so the app's
 * copy is used when it is newer than ours. Reads two package.json files, once, at start.
 */
export function newerApiCopy(ours: ApiCopy, mainScript: string | undefined): ApiCopy {
  try {
    const own = createRequire(import.meta.url)
    const app = createRequire(mainScript ?? join(process.cwd(), 'package.json'))
    const appPath = app.resolve('@opentelemetry/api')
    const ownPath = own.resolve('@opentelemetry/api')
    if (appPath === ownPath) return ours
    const [appMajor, appMinor] = versionAt(appPath)
    const [ownMajor, ownMinor] = versionAt(ownPath)
    if (appMajor === ownMajor && appMinor > ownMinor) return app('@opentelemetry/api') as ApiCopy
  } catch {
    // The app has none.
  }
  return ours
}

/** Major and minor of the package that holds this file. */
function versionAt(file: string): [number, number] {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json')
    if (!existsSync(path)) continue
    const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string }
    if (name !== '@opentelemetry/api' || version === undefined) continue
    const [major, minor] = version.split('.').map(Number)
    return [major ?? 0, minor ?? 0]
  }
  return [0, 0]
}
