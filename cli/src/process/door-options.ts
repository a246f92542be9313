import type { CollectorOptions } from '@hotspan/collector'
import type { LoadedConfig } from '../config/load-config.ts'
import { settings, settle } from '../config/settings.ts'
import { missingSetUp } from '../errors.ts'

/** Flags that say what the collector serves and to whom. */
export interface DoorFlags {
  readonly otlpPort?: string
  readonly otlpGrpcPort?: string
  readonly clickhousePort?: string
  readonly clickhouseInserts?: boolean
  readonly pathPrefix?: string
  readonly forwardTo?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
}

/** Another OTLP/HTTP port than the usual one says that this is not the machine's one collector: gRPC then takes any free port. */
export const doorOptions = (flags: DoorFlags, config: LoadedConfig): Partial<CollectorOptions> => {
  const { env } = process
  const otlpHttpPort = settle(settings.otlpHttpPort, flags.otlpPort, env, config).value
  const grpc = settle(settings.otlpGrpcPort, flags.otlpGrpcPort, env, config)
  const usual = otlpHttpPort === settings.otlpHttpPort.fallback
  const forward = settle(settings.forwardTo, flags.forwardTo, env, config)
  return {
    otlpHttpPort,
    otlpGrpcPort: grpc.origin === 'default' && !usual ? 0 : grpc.value,
    clickHousePort: settle(settings.clickHousePort, flags.clickhousePort, env, config).value ?? null,
    clickHouseInserts: flags.clickhouseInserts ?? false,
    pathPrefix: settle(settings.pathPrefix, flags.pathPrefix, env, config).value,
    ...(forward.value === undefined ? {} : { forwardTo: { url: forward.value } }),
    tls: tlsOptions(flags, config),
  }
}

const tlsOptions = (flags: DoorFlags, config: LoadedConfig): CollectorOptions['tls'] => {
  const certFile = settle(settings.tlsCert, flags.tlsCert, process.env, config).value
  const keyFile = settle(settings.tlsKey, flags.tlsKey, process.env, config).value
  if (certFile === undefined && keyFile === undefined) return null
  if (certFile === undefined || keyFile === undefined) {
    const [given, needed] =
      keyFile === undefined ? [settings.tlsCert, settings.tlsKey] : [settings.tlsKey, settings.tlsCert]
    throw missingSetUp(
      `${given.flag} needs ${needed.flag} beside it`,
      `Name both PEM files, or set ${needed.variable}`,
    )
  }
  return { certFile, keyFile }
}
