import type { ProfilesData } from '@hotspan/otlp'
import { text } from './made-spans.ts'

export interface MadeSample {
  /** Names of functions, the leaf first; each begins in `app.js` at ten times the length of its name. */
  readonly stack: readonly string[]
  readonly value: number
  readonly route?: string
  readonly traceId?: string
  readonly spanId?: string
}

/** One CPU profile of ten seconds in a message of its own. */
export function profileOf(
  service: string,
  startMs: number,
  samples: readonly MadeSample[],
  more: { profileId?: string; sampleType?: string } = {},
): ProfilesData {
  const stringTable = ['', 'app.js', 'http.route', more.sampleType ?? 'cpu', 'nanoseconds']
  const textAt = (wanted: string): number => {
    const at = stringTable.indexOf(wanted)
    return at >= 0 ? at : stringTable.push(wanted) - 1
  }
  const names = [...new Set(samples.flatMap(({ stack }) => stack))].sort()
  const routes = [...new Set(samples.map(({ route }) => route ?? ''))].filter((route) => route !== '')
  const linked = samples.filter(({ traceId }) => traceId !== undefined)
  const none = { nameStrindex: 0, systemNameStrindex: 0, filenameStrindex: 0, startLine: 0n }
  const cpu = { typeStrindex: 3, unitStrindex: 4 }
  return {
    resourceProfiles: [
      {
        resource: { attributes: [text('service.name', service)], droppedAttributesCount: 0 },
        schemaUrl: '',
        scopeProfiles: [
          {
            scope: { name: 'test', version: '1', attributes: [], droppedAttributesCount: 0 },
            schemaUrl: '',
            profiles: [
              {
                sampleType: cpu,
                samples: samples.map((sample, index) => ({
                  stackIndex: index + 1,
                  attributeIndices: sample.route === undefined ? [] : [routes.indexOf(sample.route) + 1],
                  linkIndex: linked.indexOf(sample) + 1,
                  values: [BigInt(sample.value)],
                  timestampsUnixNano: [],
                })),
                timeUnixNano: BigInt(startMs) * 1_000_000n,
                durationNano: 10_000_000_000n,
                periodType: cpu,
                period: 10_000_000n,
                profileId: more.profileId ?? '',
                droppedAttributesCount: 0,
                originalPayloadFormat: '',
                originalPayload: new Uint8Array(0),
                attributeIndices: [],
              },
            ],
          },
        ],
      },
    ],
    dictionary: {
      mappingTable: [
        { memoryStart: 0n, memoryLimit: 0n, fileOffset: 0n, filenameStrindex: 0, attributeIndices: [] },
      ],
      functionTable: [
        none,
        ...names.map((name) => ({
          nameStrindex: textAt(name),
          systemNameStrindex: 0,
          filenameStrindex: 1,
          startLine: BigInt(name.length * 10),
        })),
      ],
      locationTable: [[], ...names].map((_, index) => ({
        mappingIndex: 0,
        address: 0n,
        lines: index === 0 ? [] : [{ functionIndex: index, line: BigInt(index * 10 + 3), column: 0n }],
        attributeIndices: [],
      })),
      stackTable: [
        { locationIndices: [] },
        ...samples.map(({ stack }) => ({ locationIndices: stack.map((name) => names.indexOf(name) + 1) })),
      ],
      linkTable: [
        { traceId: '', spanId: '' },
        ...linked.map(({ traceId, spanId }) => ({ traceId: traceId!, spanId: spanId! })),
      ],
      attributeTable: [
        { keyStrindex: 0, value: null, unitStrindex: 0 },
        ...routes.map((route) => ({ keyStrindex: 2, value: route, unitStrindex: 0 })),
      ],
      stringTable,
    },
  }
}
