import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCollector, openStore } from '@hotspan/collector'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import {
  binary,
  deploy,
  freePort,
  hex,
  missing,
  note,
  otel,
  run,
  send,
  sumOf,
  temporaryFolder,
  traces,
} from './deploy-collector.ts'

const root = join(deploy, '..')

interface Compose {
  readonly services: Record<
    string,
    {
      readonly image?: string
      readonly build?: { readonly context: string; readonly dockerfile: string }
      readonly command?: readonly string[]
      readonly environment?: Record<string, string>
      readonly volumes?: readonly string[]
      readonly depends_on?: Record<string, unknown>
    }
  >
  readonly volumes: Record<string, unknown>
}

interface Manifest {
  readonly name: string
  readonly workspaces?: readonly string[]
  readonly dependencies?: Record<string, string>
}

function validate(...files: string[]): void {
  const args = files.flatMap((file) => ['--config', file])
  execFileSync(binary, ['validate', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, GOOGLE_CLOUD_PROJECT: 'p' },
  })
}

describe('files under deploy/', () => {
  test('what compose mounts, builds and waits for is there, and its images have a version', () => {
    const { services, volumes } = parse(readFileSync(join(deploy, 'compose', 'compose.yaml'), 'utf8'), {
      merge: true,
    }) as Compose
    for (const [name, service] of Object.entries(services)) {
      expect(service.image ?? '', name).toMatch(/:v?\d+\.\d+/)
      for (const other of Object.keys(service.depends_on ?? {})) expect(services, name).toHaveProperty(other)
      for (const [from = ''] of (service.volumes ?? []).map((volume) => volume.split(':'))) {
        // Written by `hotspan dashboards` before the start.
        if (from.startsWith('./grafana/')) continue
        if (from.startsWith('.')) expect(existsSync(join(deploy, 'compose', from)), from).toBe(true)
        else expect(Object.keys(volumes), name).toContain(from)
      }
      for (const file of (service.command ?? []).filter((part) => part.startsWith('/etc/otel/')))
        expect(existsSync(otel(file.slice('/etc/otel/'.length))), file).toBe(true)
      if (service.build === undefined) continue
      const context = join(deploy, 'compose', service.build.context)
      expect(existsSync(join(context, service.build.dockerfile))).toBe(true)
    }
    // The queues are files of their own, and the address asks for rows that are on the shards.
    for (const name of ['gateway', 'sampler-1', 'sampler-2'])
      expect(services[name]!.volumes).toContain(`queue-${name}:/var/lib/otelcol`)
    expect(services['sampler-1']!.environment?.CLICKHOUSE_ENDPOINT).toContain(
      'distributed_foreground_insert=1',
    )
  })

  test('the image is built from this checkout: the command, what it imports, and every manifest of the lock file', () => {
    const text = readFileSync(join(deploy, 'hotspan.Dockerfile'), 'utf8')
    const manifest = (folder: string) =>
      JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest
    const workspaces = manifest('.').workspaces!
    const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list = '']) =>
      list.split(' '),
    )
    for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true)
    for (const folder of workspaces)
      expect(
        copied.includes(`${folder}/`) || copied.includes(folder) || copied.includes(`${folder}/package.json`),
        folder,
      ).toBe(true)
    const folderOf = new Map(workspaces.map((folder) => [manifest(folder).name, folder]))
    const needed = new Set(['cli'])
    for (const folder of needed) {
      for (const name of Object.keys(manifest(folder).dependencies ?? {})) {
        const own = folderOf.get(name)
        if (own !== undefined) needed.add(own)
      }
    }
    const [, packages = ''] = /^ENV PACKAGES="(.+)"$/m.exec(text)!
    expect(packages.split(' ').sort()).toEqual([...needed].sort())
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base)
    expect(new Set(bases).size).toBe(1)
    expect(bases[0]).toMatch(/^node:\d+\.\d+\.\d+-/)
    expect(text).toMatch(/^USER [1-9]\d*:/m)
  })

  test('the image holds the command with what it imports, and nothing for building, tests or the embedded engine', () => {
    const script = join(deploy, 'copy-runtime.mjs')
    const list = execFileSync(process.execPath, [script, '--list'], { encoding: 'utf8' }).trim().split('\n')
    for (const name of ['cli', 'collector', 'otlp', 'node_modules/@clickhouse/client'])
      expect(list).toContain(name)
    for (const name of ['chdb', 'typescript', 'vitest', 'onnxruntime-node'])
      expect(list).not.toContain(`node_modules/${name}`)
    const manifest = JSON.parse(readFileSync(join(root, 'cli', 'package.json'), 'utf8')) as Manifest
    for (const name of Object.keys(manifest.dependencies ?? {}).filter(
      (name) => !name.startsWith('@hotspan/'),
    ))
      expect(list).toContain(`node_modules/${name}`)
  })

  test.skipIf(missing !== null)(`the real Collector accepts the configurations${note}`, () => {
    validate(otel('gateway.yaml'), otel('resolver-static.yaml'))
    validate(otel('gateway.yaml'), otel('resolver-kubernetes.yaml'))
    validate(otel('sampler.yaml'))
    validate(otel('sampler.yaml'), otel('keep-all.yaml'))
  })

  /** Kafka, AWS and Google parts are not in the Collector that can be built here: each is replaced by a plain one, the rest is checked. */
  test.skipIf(missing !== null)(
    `the rest of the configurations with parts of the contrib distribution is right${note}`,
    () => {
      const folder = temporaryFolder()
      const without = (name: string, kind: 'receivers' | 'exporters', part: string) => {
        const plain = kind === 'exporters' ? 'debug' : 'otlp/kafka'
        const block =
          kind === 'exporters'
            ? 'debug: {}'
            : 'otlp/kafka: { protocols: { http: { endpoint: "127.0.0.1:4319" } } }'
        const text = readFileSync(otel(name), 'utf8')
        const replaced = text
          .replace(new RegExp(`(^${kind}:\\n)  ${part}:\\n(?:    .*\\n)+`, 'm'), `$1  ${block}\n`)
          .replace(new RegExp(`(?<=[[, ])${part}(?=[\\],])`, 'g'), plain)
        expect(replaced).not.toContain(`\n  ${part}:`)
        const file = join(folder, name)
        writeFileSync(file, replaced)
        return file
      }
      validate(without('kafka-in.yaml', 'exporters', 'kafka'))
      validate(otel('sampler.yaml'), without('kafka-out.yaml', 'receivers', 'kafka'))
      validate(otel('sampler.yaml'), without('aws-x-ray.yaml', 'exporters', 'awsxray'))
      validate(otel('sampler.yaml'), without('google-cloud-trace.yaml', 'exporters', 'googlecloud'))
    },
  )
})

test.skipIf(missing !== null)(
  `gateway and samplers as they are deployed: failed and slow traces arrive whole, figures count all${note}`,
  { timeout: 180_000 },
  async () => {
    const dataDir = temporaryFolder()
    const collector = await createCollector({
      dataDir,
      otlpHttpPort: 0,
      pagePort: 0,
      clickHousePort: 0,
      clickHouseInserts: true,
      onEvent: () => undefined,
    })
    onTestFinished(() => collector.close())
    const [grpc1, http1, prometheus1, grpc2, http2, prometheus2, gatewayGrpc, gatewayHttp] =
      await Promise.all(Array.from({ length: 8 }, freePort))
    const sampler = (grpc: number, http: number, prometheus: number) =>
      run([otel('sampler.yaml')], [grpc, http, prometheus], {
        OTLP_GRPC_PORT: String(grpc),
        OTLP_HTTP_PORT: String(http),
        PROMETHEUS_PORT: String(prometheus),
        CLICKHOUSE_ENDPOINT: `${collector.clickHouseUrl}?compress=none`,
        CLICKHOUSE_COMPRESS: 'none',
        DECISION_WAIT: '2s',
        METRICS_FLUSH: '1s',
        BATCH_WAIT: '500ms',
        SAMPLE_PERCENT: '0',
        MEMORY_LIMIT_MIB: '500',
        MEMORY_SPIKE_MIB: '100',
      })
    await sampler(grpc1!, http1!, prometheus1!)
    await sampler(grpc2!, http2!, prometheus2!)
    await run([otel('gateway.yaml'), otel('resolver-static.yaml')], [gatewayGrpc!, gatewayHttp!], {
      OTLP_GRPC_PORT: String(gatewayGrpc),
      OTLP_HTTP_PORT: String(gatewayHttp),
      SAMPLER_1: `127.0.0.1:${grpc1}`,
      SAMPLER_2: `127.0.0.1:${grpc2}`,
      SAMPLER_HTTP: `http://127.0.0.1:${http1}`,
    })
    const nowMs = Date.now()
    for (const part of ['client', 'server'] as const) await send(gatewayHttp!, part, nowMs)
    const store = await openStore({ dataDir })
    onTestFinished(() => store.close())
    const kept = async () => {
      const answer = await store.client.query({
        query:
          'SELECT TraceId AS id, arraySort(groupArray(ServiceName)) AS services FROM otel_traces GROUP BY id ORDER BY id',
        format: 'JSONEachRow',
      })
      return answer.json()
    }
    const whole = [7, 9].map((n) => ({ id: hex(n, 32), services: ['orders', 'web'] }))
    await expect.poll(kept, { timeout: 60_000 }).toEqual(whole)
    const both = [prometheus1!, prometheus2!]
    const orders = /^traces_span_metrics_calls_total\{.*service_name="orders"/
    const metrics = async () => ({
      calls: await sumOf(both, orders),
      edges: await sumOf(both, /^traces_service_graph_request_total\{.*client="web".*server="orders"/),
      // Both samplers took part: a trace goes to one of them.
      samplers: (await Promise.all(both.map((port) => sumOf([port], orders)))).filter((n) => n > 0).length,
    })
    await expect.poll(metrics, { timeout: 60_000 }).toEqual({ calls: traces, edges: traces, samplers: 2 })
  },
)
