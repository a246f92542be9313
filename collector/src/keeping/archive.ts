import { spawn } from 'node:child_process'
import { CollectorError, messageOf } from '../errors.ts'

/** Whether a name asks for one file instead of a folder. */
export function isArchiveName(path: string): boolean {
  return /\.(?:tar|tgz|tar\.gz)$/.test(path)
}

/** One file from a folder, by the system's tar; the tables in it are compressed already, gzip is for the rest. */
export function pack(folder: string, archive: string, compress: boolean): Promise<void> {
  return tar([compress ? '-czf' : '-cf', archive, '-C', folder, '.'])
}

/** Throws `HS_BACKUP` when tar is missing or the file is no archive. */
export function unpack(archive: string, folder: string): Promise<void> {
  return tar(['-xf', archive, '-C', folder, '--no-same-owner'])
}

async function tar(args: readonly string[]): Promise<void> {
  const child = spawn('tar', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-1000)
  })
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(messageOf(error)))
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'gone'))
  })
  if (code === 0) return
  throw new CollectorError(
    'HS_BACKUP',
    `tar failed (${code}): ${errors.trim()}. Use a folder instead of a file when tar is missing.`,
  )
}
