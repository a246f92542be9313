import { attr, encodeTraces, type KeyValue } from '@hotspan/otlp'
import { hex32, randomBits } from '../core/trace.ts'
import type { Settings } from '../settings.ts'
import { AGENT_VERSION } from '../version.ts'
import type { ResourceAttributes, Surroundings } from './attributes.ts'
import { detectResource } from './detect.ts'

/** What this process is: what was detected, then `OTEL_RESOURCE_ATTRIBUTES` and the options, which win. */
export function resourceAttributes(settings: Settings, around: Surroundings): ResourceAttributes {
  const detected = detectResource(settings.detectors, around)
  const attributes: ResourceAttributes = {
    // A function's name is a better one than none.
    [attr.serviceName]: settings.service ?? detected[attr.faasName] ?? 'unknown_service:node',
    [attr.telemetrySdkName]: 'hotspan',
    [attr.telemetrySdkLanguage]: 'nodejs',
    [attr.telemetrySdkVersion]: AGENT_VERSION,
    ...detected,
  }
  if (settings.detectors.has('serviceinstance')) attributes[attr.serviceInstanceId] = randomUuid()
  Object.assign(attributes, settings.resource)
  if (settings.service !== undefined) attributes[attr.serviceName] = settings.service
  return attributes
}

/** Version 4. It needs to be distinct, not secret, and `node:crypto` takes 5 ms to load. */
function randomUuid(): string {
  const [a, b, c, d] = [randomBits(), randomBits(), randomBits(), randomBits()]
  const digits = hex32(a) + hex32((b & 0xffff0fff) | 0x4000) + hex32((c & 0x3fffffff) | 0x80000000) + hex32(d)
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

export const keyValues = (attributes: ResourceAttributes): KeyValue[] =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value,
  }))

/** `ResourceSpans.resource` field with these attributes; `ResourceLogs` and `ResourceMetrics` number it alike. */
export function encodeResource(attributes: ResourceAttributes): Uint8Array {
  const whole = encodeTraces({
    resourceSpans: [
      {
        resource: { attributes: keyValues(attributes), droppedAttributesCount: 0 },
        schemaUrl: '',
        scopeSpans: [],
      },
    ],
  })
  // The request holds one ResourceSpans, which holds nothing but the resource: its content is the field that we want.
  let at = 1
  while ((whole[at]! & 0x80) !== 0) at++
  return whole.slice(at + 1)
}
