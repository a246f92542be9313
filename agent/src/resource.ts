import { randomUUID } from 'node:crypto'
import { arch, hostname, platform } from 'node:os'
import { threadId } from 'node:worker_threads'
import { encodeTraces } from '@hotspan/otlp'
import type { Settings } from './settings.ts'
import { AGENT_VERSION } from './version.ts'

type ResourceValue = string | number | boolean

/** What this process is. Command-line arguments are left out: they hold secrets. */
export function resourceAttributes(settings: Settings): Record<string, ResourceValue> {
  const attributes: Record<string, ResourceValue> = {
    'service.name': settings.service,
    'service.instance.id': randomUUID(),
    'telemetry.sdk.name': 'hotspan',
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.version': AGENT_VERSION,
    'process.pid': process.pid,
    'process.creation.time': new Date(Date.now() - process.uptime() * 1000).toISOString(),
    'process.executable.name': process.title,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'process.runtime.description': 'Node.js',
    'host.name': hostname(),
    'host.arch': arch() === 'x64' ? 'amd64' : arch(),
    'os.type': platform() === 'win32' ? 'windows' : platform(),
  }
  if (threadId !== 0) attributes['thread.id'] = threadId
  return { ...attributes, ...settings.resource, 'service.name': settings.service }
}

/** `ResourceSpans.resource` field with these attributes. */
export function encodeResource(attributes: Record<string, ResourceValue>): Uint8Array {
  const whole = encodeTraces({
    resourceSpans: [
      {
        resource: {
          attributes: Object.entries(attributes).map(([key, value]) => ({
            key,
            value: typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value,
          })),
          droppedAttributesCount: 0,
        },
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
