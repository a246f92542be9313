import { attr } from '@hotspan/otlp'
import { encodeKey } from '../encode/attribute-key.ts'
import { captureAttributes } from '../encode/captured-attributes.ts'

/** What the settings say about `pg`. */
export const pgOptions = { callSites: false }

/** Where a client or a pool connects to. */
export interface Target {
  database?: string
  host?: string
  port?: number
}

const key = {
  system: encodeKey(attr.dbSystemName),
  namespace: encodeKey(attr.dbNamespace),
  address: encodeKey(attr.serverAddress),
  port: encodeKey(attr.serverPort),
}

const targetOfHolder = new WeakMap<Target, Uint8Array>()

/** `db.system.name`, namespace and server of a client or of a pool's options, encoded once per object. */
export function targetOf(holder: Target): Uint8Array {
  const known = targetOfHolder.get(holder)
  if (known !== undefined) return known
  const { database, host, port } = holder
  const encoded = captureAttributes((encoder) => {
    encoder.text(key.system, 'postgresql')
    if (database) encoder.text(key.namespace, database)
    if (host) {
      encoder.text(key.address, host)
      // A path is a unix socket, which has no port.
      if (port !== undefined && !host.startsWith('/')) encoder.int(key.port, Number(port))
    }
  })
  targetOfHolder.set(holder, encoded)
  return encoded
}
