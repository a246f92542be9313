import { Gate } from './access/gate.ts'
import { ProjectMeter } from './access/project-meter.ts'
import { readTlsFiles, type TlsFiles } from './access/tls.ts'
import { createClickHouseDoor, type EngineBehind } from './clickhouse/clickhouse-door.ts'
import type { ForwardTarget } from './forward/exporter.ts'
import { forwardTarget } from './forward/forward-target.ts'
import { Forwarder, type ForwardStats } from './forward/forwarder.ts'
import type { Journal } from './journal/journal.ts'
import { isLoopback, listen, type PortOption, stopListening } from './listening.ts'
import { GrpcReceiver } from './receiver/grpc.ts'
import { Intake } from './receiver/intake.ts'
import { Receiver } from './receiver/receiver.ts'

export interface DoorOptions {
  /** Default 4318; 0 takes a free one. */
  readonly otlpHttpPort?: number
  /** OTLP/gRPC; 0 takes a free one. Default null: not served. */
  readonly otlpGrpcPort?: number | null
  /** ClickHouse HTTP interface of the embedded engine; 0 takes a free one. Default null: not served. */
  readonly clickHousePort?: number | null
  /** The ClickHouse interface takes inserts into the telemetry tables. Default false. */
  readonly clickHouseInserts?: boolean
  /** In front of `/v1/traces`. Default ''. */
  readonly pathPrefix?: string
  /** Origins of pages that may send, besides those of this machine. Default HOTSPAN_CORS_ORIGINS, separated by commas. */
  readonly allowedOrigins?: readonly string[]
  /** Largest body after decompression, bytes. Default 64 MiB. */
  readonly maxBodyBytes?: number
  /** Everything that is stored is sent on to this OTLP receiver. Default HOTSPAN_FORWARD_URL, with HOTSPAN_FORWARD_HEADERS (`name=value,...`). */
  readonly forwardTo?: ForwardTarget | null
  /** PEM files; with them every listener speaks TLS. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | null
}

export interface DoorsFrom extends DoorOptions {
  readonly dataDir: string
  readonly project: string
  readonly host: string
  readonly journal: Journal
  /** Days of telemetry kept besides today; null for all. */
  readonly retentionDays: number | null
  /** null when the tables are on a server, which has an interface of its own. */
  readonly engine: EngineBehind | null
  readonly onEvent: (event: string) => void
}

/** The public intake, open. */
export interface Doors {
  readonly intake: Intake
  /** null when nothing is sent on. */
  readonly forwarded: ForwardStats | null
  readonly tls: TlsFiles | null
  readonly otlpUrl: string
  /** null when it is not served. */
  readonly grpcUrl: string | null
  /** null when it is not served. */
  readonly clickHouseUrl: string | null
  close(): Promise<void>
}

const otlpHttpPortOf = (options: DoorOptions): number => options.otlpHttpPort ?? 4318

/** What the doors will listen on, null for those that stay closed. */
export const publicPorts = (options: DoorOptions): [PortOption, number | null][] => [
  ['otlpHttpPort', otlpHttpPortOf(options)],
  ['otlpGrpcPort', options.otlpGrpcPort ?? null],
  ['clickHousePort', options.clickHousePort ?? null],
]

const saveUseEveryMs = 5000

/**
 * Opens what senders talk to. Beyond loopback everybody has to show a token; on loopback a token says which project, and without
 * one the collector's own project receives.
 */
export async function openDoors(from: DoorsFrom): Promise<Doors> {
  const { dataDir, project, host, journal, onEvent } = from
  const tls = from.tls ? readTlsFiles(from.tls.certFile, from.tls.keyFile) : null
  const scheme = tls === null ? 'http' : 'https'
  const gate = new Gate({ dataDir, project, required: !isLoopback(host), onEvent })
  const meter = new ProjectMeter(dataDir, (name) => gate.limitsOf(name))
  const target = forwardTarget(from.forwardTo)
  const forwarder = target === null ? null : new Forwarder({ target, onEvent })
  const intake = new Intake({
    journal,
    meter,
    forwarder,
    onEvent,
    retentionDays: from.retentionDays,
    ...(from.maxBodyBytes === undefined ? {} : { maxBodyBytes: from.maxBodyBytes }),
  })
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  if (forwarder !== null) closers.push(() => forwarder.close())
  const saving = setInterval(() => meter.save(), saveUseEveryMs)
  saving.unref()
  closers.push(async () => {
    clearInterval(saving)
    meter.save()
  })
  try {
    const receiver = new Receiver({
      intake,
      gate,
      tls,
      allowedOrigins: from.allowedOrigins ?? originsFromEnvironment(),
      ...(from.pathPrefix === undefined ? {} : { pathPrefix: from.pathPrefix }),
    })
    const otlpUrl = await listen(receiver.server, scheme, host, otlpHttpPortOf(from), 'otlpHttpPort')
    closers.push(() => stopListening(receiver.server))
    let grpcUrl: string | null = null
    if (typeof from.otlpGrpcPort === 'number') {
      const grpc = new GrpcReceiver({ intake, gate, tls })
      grpcUrl = await listen(grpc.server, scheme, host, from.otlpGrpcPort, 'otlpGrpcPort')
      closers.push(() => grpc.close())
    }
    let clickHouseUrl: string | null = null
    if (typeof from.clickHousePort === 'number' && from.engine !== null) {
      const door = createClickHouseDoor({
        engine: from.engine,
        gate,
        loopback: isLoopback(host),
        inserts: from.clickHouseInserts ?? false,
        tls,
        onEvent,
      })
      clickHouseUrl = await listen(door, scheme, host, from.clickHousePort, 'clickHousePort')
      closers.push(() => stopListening(door))
    }
    return { intake, forwarded: forwarder?.stats ?? null, tls, otlpUrl, grpcUrl, clickHouseUrl, close }
  } catch (error) {
    await close()
    throw error
  }
}

function originsFromEnvironment(): string[] {
  return (process.env.HOTSPAN_CORS_ORIGINS ?? '')
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '')
}
