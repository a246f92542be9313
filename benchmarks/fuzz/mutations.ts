import { gzipSync } from 'node:zlib'
import { encodeProfiles, encodeTraces, encodeTracesJson, type TracesData } from '../../otlp/dist/index.js'
import type { Random } from '../store-load/random.ts'
import { sampleProfiles } from './sample-profiles.ts'

export interface Mutated {
  readonly kind: 'protobuf' | 'json' | 'gzip' | 'headers' | 'profiles'
  readonly body: Buffer
  readonly headers: Record<string, string>
}

const firstSpanName = 'the first span of the body'

function sampleData(random: Random): TracesData {
  const id = (digits: number) =>
    Array.from({ length: digits / 8 }, () => random.next().toString(16).padStart(8, '0')).join('')
  const traceId = id(32)
  const text = (key: string, value: string) => ({ key, value })
  return {
    resourceSpans: [
      {
        resource: {
          attributes: [text('service.name', 'fuzz'), text('host.name', 'h')],
          droppedAttributesCount: 0,
        },
        schemaUrl: '',
        scopeSpans: [
          {
            scope: { name: 's', version: '1', attributes: [], droppedAttributesCount: 0 },
            schemaUrl: '',
            spans: Array.from({ length: 2 + random.below(6) }, (_, i) => ({
              traceId,
              spanId: id(16),
              parentSpanId: i === 0 ? '' : id(16),
              traceState: i % 2 === 0 ? '' : 'ot=th:8',
              flags: 1,
              name: i === 0 ? firstSpanName : `GET /${random.below(1000)}`,
              kind: random.below(6) as 0 | 1 | 2 | 3 | 4 | 5,
              startTimeUnixNano: 1_795_000_000_000_000_000n + BigInt(random.next()),
              endTimeUnixNano: 1_795_000_001_000_000_000n + BigInt(random.next()),
              attributes: [
                text('http.route', '/products/:id'),
                { key: 'n', value: BigInt(random.next()) },
                { key: 'list', value: ['a', 1n, [true, 0.5]] },
                { key: 'map', value: { kvlist: [text('k', 'ü')] } },
                { key: 'bytes', value: new Uint8Array([0, 255, 7]) },
              ].slice(0, random.below(6)),
              droppedAttributesCount: 0,
              events:
                random.below(3) === 0
                  ? [{ timeUnixNano: 1n, name: 'e', attributes: [text('a', 'b')], droppedAttributesCount: 0 }]
                  : [],
              droppedEventsCount: 0,
              links: [],
              droppedLinksCount: 0,
              status: { code: random.below(3) as 0 | 1 | 2, message: '' },
            })),
          },
        ],
      },
    ],
  }
}

/** Where the content behind the first span begins. */
export function behindFirstSpan(body: Buffer): number {
  const name = body.indexOf(firstSpanName)
  return name < 0 ? 0 : name + firstSpanName.length
}

/** Bodies to start from; made anew now and then. */
export class Seeds {
  private readonly random: Random
  private proto: Buffer = Buffer.alloc(0)
  private json: Buffer = Buffer.alloc(0)
  private profiles: Buffer = Buffer.alloc(0)
  private used = 0

  constructor(random: Random) {
    this.random = random
  }

  next(): Mutated {
    const { random } = this
    if (this.used++ % 50 === 0) {
      const data = sampleData(random)
      this.proto = Buffer.from(encodeTraces(data))
      this.json = Buffer.from(encodeTracesJson(data))
      this.profiles = Buffer.from(encodeProfiles(sampleProfiles(random)))
    }
    const kind = random.share()
    const protobuf = { 'content-type': 'application/x-protobuf' }
    if (kind < 0.05) return { kind: 'profiles', body: mutateBytes(this.profiles, random), headers: protobuf }
    if (kind < 0.75) return { kind: 'protobuf', body: mutateBytes(this.proto, random), headers: protobuf }
    if (kind < 0.9) {
      const json = { 'content-type': 'application/json' }
      return { kind: 'json', body: mutateBytes(this.json, random), headers: json }
    }
    if (kind < 0.97) {
      const body = mutateBytes(gzipSync(this.proto, { level: 1 }), random)
      return { kind: 'gzip', body, headers: { ...protobuf, 'content-encoding': 'gzip' } }
    }
    const types = ['text/html', 'application/x-protobuf; charset=x', 'application/grpc', 'image/png']
    return {
      kind: 'headers',
      body: this.proto,
      headers: { 'content-type': types[random.below(types.length)]! },
    }
  }
}

/** One to four changes: bits, bytes, whole runs, numbers that lie, cuts and copies. Two thirds of them in the body's second half. */
function mutateBytes(source: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(source)
  const changes = 1 + random.below(4)
  for (let i = 0; i < changes && bytes.length > 2; i++) {
    const half = bytes.length >> 1
    const at = random.below(3) === 0 ? random.below(bytes.length) : half + random.below(bytes.length - half)
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2:
        bytes[at] = bytes[at]! ^ (1 << random.below(8))
        break
      case 3:
        bytes[at] = random.below(256)
        break
      case 4:
        bytes[at] = [0, 0x7f, 0x80, 0xff][random.below(4)]!
        break
      case 5:
        bytes = bytes.subarray(0, at)
        break
      case 6:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(Math.max(0, at - random.below(40)), at),
          bytes.subarray(at),
        ])
        break
      default:
        bytes.fill(0xff, at, Math.min(bytes.length, at + random.below(12)))
    }
  }
  return bytes
}
