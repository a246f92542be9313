import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encodeTraces } from '@hotspan/otlp'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createCollector } from '../collector.ts'
import { hex, madeSpan, text, tracesOf } from '../test-support/made-spans.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { smallDisk } from '../test-support/small-disk.ts'

const spansPerBody = 11

/** About a megabyte that does not compress. */
function body(number: number): Buffer {
  const spans = Array.from({ length: spansPerBody }, (_, i) =>
    madeSpan(Date.now(), {
      traceId: hex(number, 32),
      spanId: hex(i + 1, 16),
      attributes: [text('blob', randomBytes(45_000).toString('hex'))],
    }),
  )
  return Buffer.from(encodeTraces(tracesOf('full', spans)))
}

/** Takes what is left of the disk. */
function fillUp(path: string): void {
  const file = openSync(path, 'w')
  for (let bytes = 1 << 20; bytes >= 4096; ) {
    try {
      writeSync(file, Buffer.alloc(bytes))
    } catch {
      bytes >>= 1
    }
  }
  closeSync(file)
}

describe.skipIf(missingEngine() !== null)('a full disk', () => {
  test('bodies are taken from the reserve, then refused for a while; nothing acknowledged is lost or doubled', {
    timeout: 120_000,
  }, async (context) => {
    const disk = smallDisk(160)
    if (typeof disk === 'string') return context.skip(disk)
    const events: string[] = []
    const collector = await createCollector({
      dataDir: join(disk.path, 'data'),
      otlpHttpPort: 0,
      pagePort: 0,
      onEvent: (event) => events.push(event),
    })
    onTestFinished(() => collector.close())
    const send = async (bytes: Buffer) => {
      const answer = await fetch(`${collector.otlpUrl}/v1/traces`, {
        method: 'POST',
        body: new Uint8Array(bytes),
        headers: { 'content-type': 'application/x-protobuf' },
      })
      await answer.arrayBuffer()
      return answer
    }
    const acknowledged: number[] = []
    for (const number of [1, 2, 3]) {
      expect((await send(body(number))).status).toBe(200)
      acknowledged.push(number)
    }
    await collector.flush()
    expect(existsSync(join(disk.path, 'data', 'journal', 'reserve'))).toBe(true)

    const ballast = join(disk.path, 'ballast')
    fillUp(ballast)
    const refused: { number: number; bytes: Buffer }[] = []
    for (let number = 4; refused.length < 3 && number < 100; number++) {
      const bytes = body(number)
      const answer = await send(bytes)
      if (answer.status === 200) acknowledged.push(number)
      else {
        expect([429, 503]).toContain(answer.status)
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
        refused.push({ number, bytes })
      }
    }
    expect(acknowledged.length).toBeGreaterThan(3)
    expect(refused.length).toBe(3)
    expect(collector.stats().state).toBe('disk-full')
    expect(collector.stats().stateReason).not.toBe('')
    expect(events.join('\n')).toContain('the disk is full')

    rmSync(ballast)
    for (const { number, bytes } of refused) {
      await expect.poll(async () => (await send(bytes)).status, { timeout: 30_000 }).toBe(200)
      acknowledged.push(number)
    }
    await collector.flush()
    const answer = await collector.store.client.query({
      query: `SELECT TraceId AS id, count() AS n, uniqExact(SpanId) AS ids FROM otel_traces GROUP BY id ORDER BY id`,
      format: 'JSONEachRow',
    })
    expect(await answer.json()).toEqual(
      acknowledged
        .sort((a, b) => a - b)
        .map((number) => ({ id: hex(number, 32), n: String(spansPerBody), ids: String(spansPerBody) })),
    )
  })
})
