import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { findProgram, missing, type ServerProcess, startServer } from './server-process.ts'

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'hotspan', 'bin')
const program = findProgram('hotspan-ferretdb', [cache])

/** Why nothing that speaks MongoDB's protocol can be started here, or undefined. */
export const mongodbMissing = (): string | undefined =>
  missing(
    'ferretdb',
    program,
    'FerretDB is not built (`npm run tools`, needs Go); MongoDB itself is not to be had',
  )

/** FerretDB, which speaks MongoDB's protocol over SQLite, in a temporary folder, on a free port of the loopback interface. */
export async function startMongodb(): Promise<ServerProcess> {
  if (program === undefined) throw new Error('FerretDB is not built')
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-ferretdb-'))
  const port = await freePort()
  const running = await startServer(program, [`127.0.0.1:${port}`, folder], port)
  return {
    port,
    async stop() {
      await running.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
