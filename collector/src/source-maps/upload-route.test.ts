import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createCollector } from '../collector.ts'
import { missingEngine } from '../test-support/require-engine.ts'
import { temporaryDirectory } from '../test-support/temporary-directory.ts'
import { maxFileBytes } from './check-maps.ts'
import { uploadPath } from './uploaded-file.ts'

describe.skipIf(missingEngine() !== null)('what the upload of source maps refuses', () => {
  const started = async () => {
    const collector = await createCollector({
      dataDir: temporaryDirectory(),
      otlpHttpPort: 0,
      otlpGrpcPort: null,
      pagePort: 0,
      onEvent: () => undefined,
    })
    onTestFinished(() => collector.close())
    return async (body: BodyInit): Promise<{ status: number; text: string }> => {
      const answer = await fetch(new URL(uploadPath, collector.pageUrl), {
        method: 'POST',
        body,
        ...(body instanceof ReadableStream && { duplex: 'half' }),
      })
      return { status: answer.status, text: await answer.text() }
    }
  }

  test('a larger body is told so, with and without a length', { timeout: 60_000 }, async () => {
    const upload = await started()
    const body = new Uint8Array(50 << 20)
    const said = { status: 413, text: expect.stringContaining('the body is larger than 33554432 bytes') }
    expect(await upload(body)).toEqual(said)
    expect(await upload(new Blob([body]).stream())).toEqual(said)
  })

  test('functions are bounded as the map is', { timeout: 60_000 }, async () => {
    const upload = await started()
    const long = `${' '.repeat(maxFileBytes)}{}`
    const file = { buildIds: ['a'.repeat(32)], file: 'a.js', functions: '{}', map: '{}' }
    for (const key of ['functions', 'map'])
      expect(await upload(gzipSync(JSON.stringify({ ...file, [key]: long }), { level: 1 }))).toEqual({
        status: 400,
        text: expect.stringContaining(`not JSON texts of at most ${maxFileBytes} bytes`),
      })
  })
})
