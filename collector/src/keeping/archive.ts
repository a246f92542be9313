import { spawn } from 'node:child_process'
import { CollectorError, messageOf } from '../errors.ts'

/** Whether a name asks for one file instead of a folder. */
export function isArchiveName(path: string): boolean {
  return /\.(?:tar|tgz|tar\.gz)$/.test(path)
}

/** One file from a folder, by the system's tar; the tables in it are compressed already, gzip is for the rest. */
export async function pack(folder: string, archive: string, compress: boolean): Promise<void> {
  const failed = await tar([compress ? '-czf' : '-cf', archive, '-C', folder, '.'])
  if (failed !== null) throw new CollectorError('HS_BACKUP', `${archive} could not be written: ${failed}`)
}

/** Throws `HS_RESTORE` when the file is no archive or not a whole one, `HS_BACKUP` when tar is missing. */
export async function unpack(archive: string, folder: string): Promise<void> {
  const failed = await tar(['-xf', archive, '-C', folder, '--no-same-owner'])
  if (failed === null) return
  const how = /no space left/i.test(failed)
    ? `cannot be unpacked into ${folder}: its disk is full`
    : 'is damaged or cut short: it cannot be unpacked. Copy it again and compare its size with the original, or take another backup'
  // The first line is the reason; what follows it only says that tar gave up.
  throw new CollectorError('HS_RESTORE', `${archive} ${how} (${failed.split('\n')[0]})`)
}

/** null when all went well, else what tar said. Throws `HS_BACKUP` when there is none. */
async function tar(args: readonly string[]): Promise<string | null> {
  const child = spawn('tar', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-1000)
  })
  const end = await new Promise<number | string>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(
        new CollectorError(
          'HS_BACKUP',
          `tar cannot be started: ${messageOf(cause)}. Install it, or use a folder instead of a file.`,
          { cause },
        ),
      ),
    )
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'gone'))
  })
  return end === 0 ? null : errors.trim() || `tar ended with ${end}`
}
