import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

/** A certificate for 127.0.0.1 in `folder`, for one day; undefined without openssl. */
export function makeCertificate(folder: string): { key: string; certificate: string } | undefined {
  const key = join(folder, 'key.pem')
  const certificate = join(folder, 'certificate.pem')
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1'],
    ...['-keyout', key, '-out', certificate],
    ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
  ])
  return made.status === 0 ? { key, certificate } : undefined
}
