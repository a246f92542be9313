#!/usr/bin/env node
/**
 * `node dist/start.js`: the shop until it is interrupted. SHOP_FAULTS names the faults, SHOP_PORT the port, and
 * OTEL_EXPORTER_OTLP_ENDPOINT the receiver; without it nothing is sent.
 */
import { formatFaults, parseFaults, UnknownFaultError } from './faults.ts'
import { ChildStartError } from './processes/start-child.ts'
import { type Shop, startShop } from './start-shop.ts'

const say = (line: string) => process.stderr.write(`${line}\n`)

async function main(): Promise<void> {
  const faults = parseFaults(process.env.SHOP_FAULTS)
  const otlpEndpoint = process.env.OTEL_EXPORTER_OTLP_ENDPOINT
  const starting: Promise<Shop> = startShop({
    faults,
    port: Number(process.env.SHOP_PORT ?? 0),
    onProgress: say,
    ...(otlpEndpoint && { otlpEndpoint }),
  })
  let interrupted = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (interrupted) return
      interrupted = true
      say('stopping')
      // An interrupt during the start waits for it: what has started is stopped in order.
      starting.then((shop) => shop.close()).finally(() => process.exit(0))
    })
  }
  const shop = await starting
  say(`faults: ${formatFaults(faults) || 'none'}; telemetry: ${otlpEndpoint ?? 'none'}; Ctrl+C stops it`)
  process.stdout.write(`${shop.url}\n`)
}

main().catch((error: unknown) => {
  if (error instanceof UnknownFaultError) say(`SHOP_FAULTS: ${error.message}`)
  else if (error instanceof ChildStartError) say(error.message)
  else say(String(error instanceof Error ? error.stack : error))
  process.exitCode = error instanceof UnknownFaultError ? 2 : 1
})
