import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createCollector } from '../collector.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { maxFileBytes } from './check-maps.ts'
import { uploadPath } from './uploaded-file.ts'

/** The answer to a sender that looks for it when everything is sent, and not before. */
const answerAfterAll = (address: string, body: Uint8Array): Promise<string> =>
  new Promise((resolve, reject) => {
    const { host, hostname, port } = new URL(address)
    const socket = connect(Number(port), hostname)
    socket.once('error', reject)
    socket.write(
      `POST ${uploadPath} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    let text = ''
    socket.write(body, () => {
      socket.on('data', (bytes) => {
        text += bytes
      })
      socket.once('end', () => resolve(text))
    })
  })

describe.skipIf(missingEngine() !== null)('what the upload of source maps refuses', () => {
  const started = async (): Promise<string> => {
    const collector = await createCollector({
      dataDir: temporaryDirectory(),
      otlpHttpPort: 0,
      otlpGrpcPort: null,
      pagePort: 0,
      onEvent: () => undefined,
    })
    onTestFinished(() => collector.close())
    return collector.pageUrl
  }

  test('a larger body is answered, with and without a length', { timeout: 60_000 }, async () => {
    const pageUrl = await started()
    const body = new Uint8Array(50 << 20)
    const said = 'the body is larger than 33554432 bytes'
    const answer = await answerAfterAll(pageUrl, body)
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
    expect(answer).toContain(said)
    const withoutLength = { method: 'POST', body: new Blob([body]).stream(), duplex: 'half' }
    const streamed = await fetch(new URL(uploadPath, pageUrl), withoutLength)
    expect([streamed.status, await streamed.text()]).toEqual([413, expect.stringContaining(said)])
  })

  test('functions are bounded as the map is', { timeout: 60_000 }, async () => {
    const address = new URL(uploadPath, await started())
    const long = `${' '.repeat(maxFileBytes)}{}`
    const file = { buildIds: ['a'.repeat(32)], file: 'a.js', functions: '{}', map: '{}' }
    for (const key of ['functions', 'map']) {
      const body = gzipSync(JSON.stringify({ ...file, [key]: long }), { level: 1 })
      const answer = await fetch(address, { method: 'POST', body })
      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringContaining(`not JSON texts of at most ${maxFileBytes} bytes`),
      ])
    }
  })
})
