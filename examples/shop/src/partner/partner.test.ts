import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { type RunningChild, startChild } from '../processes/start-child.ts'
import { receiveTelemetry, type TelemetryReceiver } from '../testing/telemetry-receiver.ts'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

let partner: RunningChild | undefined
let receiver: TelemetryReceiver
afterEach(async () => {
  await partner?.close()
  await receiver.close()
})

test("the partner on the stock SDK: its span stands in the caller's trace, with our route", async () => {
  receiver = await receiveTelemetry()
  partner = await startChild({
    name: 'The partner service',
    script: here('./partner.ts'),
    cwd: here('../..'),
    nodeOptions: ['--import', './src/partner/telemetry.ts'],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: 'shop-partner' },
  })
  const traceId = 'ab'.repeat(16)
  const answer = await fetch(`${partner.facts.url}/carriers/swift/rates?weight=500&country=FR`, {
    headers: { traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` },
  })
  expect(await answer.json()).toMatchObject({ carrier: 'swift' })
  // What it holds is sent before it ends.
  await partner.close()
  expect(receiver.spans.filter((span) => span.traceId === traceId)).toMatchObject([
    {
      service: 'shop-partner',
      name: 'GET /carriers/:carrier/rates',
      attributes: { 'http.route': '/carriers/:carrier/rates', 'http.response.status_code': 200 },
    },
  ])
})
