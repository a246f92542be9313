import type { ProfilesData } from '../../otlp/dist/index.js'
import type { Random } from '../store-load/random.ts'

/** Some profiles with every field, whose indices are within their tables. */
export function sampleProfiles(random: Random): ProfilesData {
  const texts = ['', 'cpu', 'nanoseconds', 'http.route', 'main', 'handle', 'app.js']
  const some = <T>(make: (index: number) => T): T[] =>
    Array.from({ length: 2 + random.below(4) }, (_, i) => make(i))
  const index = () => random.below(2)
  const type = { typeStrindex: 1, unitStrindex: 2 }
  const text = (key: string, value: string) => ({ key, value })
  return {
    resourceProfiles: [
      {
        resource: { attributes: [text('service.name', 'fuzz')], droppedAttributesCount: 0 },
        schemaUrl: '',
        scopeProfiles: [
          {
            scope: { name: 's', version: '1', attributes: [], droppedAttributesCount: 0 },
            schemaUrl: '',
            profiles: some(() => ({
              sampleType: type,
              samples: some((i) => ({
                stackIndex: index(),
                attributeIndices: [index()],
                linkIndex: index(),
                values: i % 2 === 0 ? [BigInt(random.next())] : [],
                timestampsUnixNano: [1_795_000_000_000_000_000n + BigInt(random.next())],
              })),
              timeUnixNano: 1_795_000_000_000_000_000n + BigInt(random.next()),
              durationNano: 10_000_000_000n,
              periodType: type,
              period: 10_000_000n,
              profileId: '',
              droppedAttributesCount: 0,
              originalPayloadFormat: '',
              originalPayload: new Uint8Array(random.below(5)),
              attributeIndices: [index()],
            })),
          },
        ],
      },
    ],
    dictionary: {
      mappingTable: some(() => ({
        memoryStart: 1n,
        memoryLimit: BigInt(random.next()),
        fileOffset: 0n,
        filenameStrindex: 6,
        attributeIndices: [index()],
      })),
      locationTable: some((i) => ({
        mappingIndex: index(),
        address: BigInt(random.next()),
        lines: i === 0 ? [] : [{ functionIndex: index(), line: 7n, column: 0n }],
        attributeIndices: [],
      })),
      functionTable: some((i) => ({
        nameStrindex: i === 0 ? 0 : 4 + random.below(2),
        systemNameStrindex: 0,
        filenameStrindex: 6,
        startLine: BigInt(i),
      })),
      linkTable: some((i) => ({
        traceId: i === 0 ? '' : random.next().toString(16).padStart(32, '1'),
        spanId: i === 0 ? '' : random.next().toString(16).padStart(16, '1'),
      })),
      stringTable: texts,
      attributeTable: some((i) => ({ keyStrindex: i === 0 ? 0 : 3, value: '/products', unitStrindex: 0 })),
      stackTable: some((i) => ({ locationIndices: i === 0 ? [] : [1, index(), index()] })),
    },
  }
}
