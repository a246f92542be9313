import type { Settings } from '../settings.ts'
import { databasePackages } from './database-packages.ts'
import { databaseOptions } from './database-span.ts'
import { installFastify } from './fastify.ts'
import { frameworkPackages } from './framework-packages.ts'
import { installHttpClient } from './http-client.ts'
import { installHttpServer } from './http-server.ts'
import { type PackageTarget, watchPackages } from './module-hook.ts'
import { configureOnnxruntime, instrumentOnnxruntime } from './onnxruntime.ts'
import { installPrismaCallSites } from './prisma.ts'
import { installServerTiming } from './server-timing.ts'
import { installUndici } from './undici.ts'

/** Installs what the settings do not leave out, and watches for `more` packages. Returns a function that ends it. */
export function installInstrumentations(settings: Settings, more: readonly PackageTarget[]): () => void {
  const stops: (() => void)[] = []
  const install = (name: string, make: () => () => void): void => {
    if (!settings.without.has(name)) stops.push(make())
  }
  install('http-server', installHttpServer)
  if (settings.serverTiming) install('server-timing', installServerTiming)
  install('http-client', installHttpClient)
  install('fastify', installFastify)
  install('undici', installUndici)
  databaseOptions.callSites = settings.callSites
  databaseOptions.poolWaitMs = settings.poolWaitMs
  if (settings.callSites) install('prisma', installPrismaCallSites)
  const packages: PackageTarget[] = databasePackages(settings.without)
  if (!settings.without.has('onnxruntime-node')) {
    configureOnnxruntime({ callSites: settings.callSites })
    packages.push(
      { name: 'onnxruntime-node', patch: instrumentOnnxruntime },
      { name: 'onnxruntime-common', patch: instrumentOnnxruntime },
    )
  }
  packages.push(...frameworkPackages.filter(({ name }) => !settings.without.has(name)))
  packages.push(...more)
  if (packages.length > 0) stops.push(watchPackages(packages))
  return () => {
    for (const stop of stops) stop()
  }
}
