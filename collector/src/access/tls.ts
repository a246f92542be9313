import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { CollectorError, messageOf } from '../errors.ts'

/** Certificate chain and key, PEM. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
}

/** Reads and checks certificate and key. Throws `HS_TLS`. */
export function readTlsFiles(certFile: string, keyFile: string): TlsFiles {
  try {
    const files = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
    createSecureContext(files)
    return files
  } catch (cause) {
    throw new CollectorError(
      'HS_TLS',
      `certificate ${certFile} and key ${keyFile} cannot be used: ${messageOf(cause)}; expected a PEM chain and its unencrypted PEM key`,
      { cause },
    )
  }
}
