import { fileURLToPath } from 'node:url'
import { setSalesIndex } from './database/sales-index.ts'
import { type ShopDatabase, startDatabase } from './database/start-database.ts'
import { type Faults, formatFaults, parseFaults } from './faults.ts'
import { startChild } from './processes/start-child.ts'

export interface ShopOptions {
  /** Faults to switch on: a set, or a list as `SHOP_FAULTS` has it. Default: `SHOP_FAULTS`, else none. */
  readonly faults?: Faults | string
  /** Base address of an OTLP/HTTP receiver (`http://127.0.0.1:4318`) for API, partner and browser. Default: no telemetry at all. */
  readonly otlpEndpoint?: string
  /** A database that `startDatabase` made and that somebody else closes. Default: one of its own. */
  readonly databaseUrl?: string
  /** Port of the shop on 127.0.0.1. Default 0: a free one. */
  readonly port?: number
  /** More environment for API and partner, such as settings of the agent. */
  readonly env?: Readonly<Record<string, string>>
  /** Told what happens, one line a step. */
  readonly onProgress?: (step: string) => void
}

export interface Shop {
  /** Address of the storefront and its API. */
  readonly url: string
  readonly partnerUrl: string
  /** Direct address of PostgreSQL, without the proxy. */
  readonly databaseUrl: string
  readonly faults: Faults
  /** Process ids; `database` is missing when the database was given. */
  readonly pids: Readonly<{ api: number; partner: number; proxy: number; database?: number }>
  /** Stops everything that this shop started and removes its data. Can be called again. */
  close(): Promise<void>
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Settings of the agent in every process of ours that is watched. */
const agentEnv = (service: string, otlpEndpoint: string | undefined): Record<string, string> =>
  otlpEndpoint === undefined
    ? {}
    : {
        OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
        OTEL_SERVICE_NAME: service,
        HOTSPAN_CALL_SITES: '1',
        HOTSPAN_PROFILE: '1',
      }

function throughProxy(databaseUrl: string, proxyPort: number): string {
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(proxyPort)
  return url.href
}

/**
 * Starts the whole shop on free ports of 127.0.0.1 and waits until it answers: PostgreSQL (unless one is given), the proxy that
 * is its distance, the partner, the API with the built storefront. When a part fails, the others are stopped again. The parts
 * end with this process however it ends; to remove data in order on an interrupt, call `close()`.
 * @throws UnknownFaultError, ChildStartError (`SHOP_POSTGRES_MISSING` and others)
 */
export async function startShop(options: ShopOptions = {}): Promise<Shop> {
  const faults =
    typeof options.faults === 'object'
      ? options.faults
      : parseFaults(options.faults ?? process.env.SHOP_FAULTS)
  const { otlpEndpoint, onProgress = () => {} } = options
  const opened: { close(): Promise<void> }[] = []
  const open = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.push(part)
    return part
  }
  let closing: Promise<void> | undefined
  const closeAll = async () => {
    for (const part of opened.reverse()) await part.close()
  }
  const close = () => {
    closing ??= closeAll()
    return closing
  }

  try {
    let database: ShopDatabase | undefined
    if (options.databaseUrl === undefined) {
      onProgress('starting PostgreSQL and making 3.6 million rows')
      database = open(await startDatabase())
    }
    const databaseUrl = options.databaseUrl ?? database?.url ?? ''
    await setSalesIndex(databaseUrl, !faults.has('missing-index'))

    onProgress('starting the network, the partner and the API')
    // The watched parts run from their sources, types stripped by Node: findings then name the lines that a reader sees.
    const watchedBy = (telemetry: string) => ({
      nodeOptions: otlpEndpoint === undefined ? [] : ['--import', telemetry],
      cwd: here('..'),
    })
    const proxy = open(
      await startChild({
        name: 'The proxy to the database',
        script: here('./network/proxy.js'),
        env: { SHOP_PROXY_TARGET: new URL(databaseUrl).host },
      }),
    )
    const partner = open(
      await startChild({
        ...watchedBy('./src/partner/telemetry.ts'),
        name: 'The partner service',
        script: here('../src/partner/partner.ts'),
        env: { ...agentEnv('shop-partner', otlpEndpoint), ...options.env },
      }),
    )
    const partnerUrl = String(partner.facts.url)
    const api = open(
      await startChild({
        ...watchedBy('@hotspan/agent/register'),
        name: 'The API',
        script: here('../src/server.ts'),
        env: {
          ...agentEnv('shop-api', otlpEndpoint),
          SHOP_DATABASE_URL: throughProxy(databaseUrl, Number(proxy.facts.port)),
          SHOP_PARTNER_URL: partnerUrl,
          SHOP_FAULTS: formatFaults(faults),
          SHOP_PORT: String(options.port ?? 0),
          SHOP_BROWSER_ENDPOINT: otlpEndpoint ?? '',
          // Official Linux builds of ONNX Runtime >= 1.29 report their use to Microsoft unless told not to.
          ORT_DISABLE_TELEMETRY: '1',
          ...options.env,
        },
      }),
    )
    return {
      url: String(api.facts.url),
      partnerUrl,
      databaseUrl,
      faults,
      pids: {
        api: api.pid,
        partner: partner.pid,
        proxy: proxy.pid,
        ...(database && { database: database.pid }),
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
