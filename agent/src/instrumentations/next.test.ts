import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missing as missingComponent } from '../testing/server-process.ts'
import { attributesOf, type ReceivedSpan, startSink } from '../testing/sink.ts'

/** Next.js is 340 MB, so no workspace depends on it: `npm test` brings it into the cache. */
const packages = process.env.HOTSPAN_NEXT_PACKAGES
const next =
  packages && existsSync(join(packages, 'node_modules/next/dist/bin/next'))
    ? join(packages, 'node_modules/next/dist/bin/next')
    : undefined
const missing = missingComponent(
  'next',
  next,
  'Next.js is not here (HOTSPAN_NEXT_PACKAGES: a folder with next, react and react-dom installed)',
)
const register = fileURLToPath(new URL('../../dist/register.js', import.meta.url))
const source = fileURLToPath(new URL('../../test-apps/next-app', import.meta.url))

describe.skipIf(missing !== undefined)(
  `a built Next.js app${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let folder: string
    let upstream: Server
    let spans: readonly ReceivedSpan[]
    const paths = [
      '/items/7?token=hunter2',
      '/api/items/7',
      '/api/items/fails',
      '/api/old/7',
      '/posts/hello',
      '/nowhere',
    ]

    beforeAll(async () => {
      folder = mkdtempSync(join(packages!, 'hotspan-next-'))
      cpSync(source, folder, { recursive: true })
      const env = { PATH: process.env.PATH, NEXT_TELEMETRY_DISABLED: '1' }
      execFileSync(process.execPath, [next!, 'build'], { cwd: folder, env, stdio: 'ignore' })
      upstream = createServer((_request, response) => response.end('up')).listen(0, '127.0.0.1')
      await new Promise((resolve) => upstream.once('listening', resolve))
      const sink = await startSink()
      const child = spawn(
        process.execPath,
        ['--import', register, next!, 'start', '-p', '0', '-H', '127.0.0.1'],
        {
          cwd: folder,
          env: {
            ...env,
            UPSTREAM: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
            OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
            OTEL_BSP_SCHEDULE_DELAY: '50',
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      )
      let output = ''
      const url = await new Promise<string>((resolve, reject) => {
        const read = (part: unknown): void => {
          output += part
          const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)
          if (found !== null && output.includes('Ready')) resolve(found[0])
        }
        child.stdout.on('data', read)
        child.stderr.on('data', read)
        child.once('close', () => reject(new Error(`next ended:\n${output}`)))
      })
      for (const path of paths) await (await fetch(url + path)).text()
      await sink.until(
        (all) =>
          all.filter(({ kind, parentSpanId }) => kind === 2 && parentSpanId === '').length === paths.length,
      )
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await ended
      expect(output).not.toContain('[hotspan]')
      spans = sink.spans
      await sink.close()
    }, 300_000)
    afterAll(() => {
      upstream?.close()
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    })

    test('one SERVER span per request, with the route of its page or handler', () => {
      const servers = spans
        .filter(({ kind }) => kind === 2)
        .sort((a, b) => Number(a.startTimeUnixNano - b.startTimeUnixNano))
      expect(
        servers.map((span) => [attributesOf(span)['url.path'], span.name, attributesOf(span)['http.route']]),
      ).toEqual([
        ['/items/7', 'GET /items/[id]', '/items/[id]'],
        ['/api/items/7', 'GET /api/items/[id]', '/api/items/[id]'],
        ['/api/items/fails', 'GET /api/items/[id]', '/api/items/[id]'],
        ['/api/old/7', 'GET /api/old/[id]', '/api/old/[id]'],
        ['/posts/hello', 'GET /posts/[slug]', '/posts/[slug]'],
        ['/nowhere', 'GET', undefined],
      ])
      for (const span of servers)
        expect(span.attributes.filter(({ key }) => key === 'http.route').length).toBeLessThan(2)
    })

    test('one CLIENT span per call; the spans of Next.js lie between, without values of URL queries', () => {
      const clients = spans.filter(({ kind }) => kind === 3)
      expect(clients.map(({ scopeName }) => scopeName)).toEqual(['@hotspan/agent'])
      const parent = spans.find(({ spanId }) => spanId === clients[0]!.parentSpanId)
      expect([parent?.name, parent?.scopeName]).toEqual(['fetch GET', 'next.js'])
      const text = JSON.stringify(spans, (_key, value) => (typeof value === 'bigint' ? String(value) : value))
      expect(text).not.toContain('hunter2')
    })
  },
)
