// Runs as a process of its own, started by run-lighthouse.ts: Lighthouse can hang, and only a process can be ended for certain.
import { writeFile } from 'node:fs/promises'
import lighthouse from 'lighthouse'

export interface LighthouseJob {
  readonly url: string
  /** DevTools port of the Chromium that the parent started, and its process group. */
  readonly port: number
  readonly chromePid: number
  readonly flags: object
  /** Where the result goes, as JSON. */
  readonly resultFile: string
}

export type LighthouseAnswer = { readonly ok: true } | { readonly ok: false; readonly message: string }

process.once('message', async (message) => {
  const job = message as LighthouseJob
  // A parent that died cannot stop its Chromium any more; this process then does, and ends.
  process.once('disconnect', () => {
    try {
      process.kill(-job.chromePid, 'SIGKILL')
    } catch {
      // It is gone already.
    }
    process.exit(1)
  })
  process.send!(await measure(job))
})

async function measure(job: LighthouseJob): Promise<LighthouseAnswer> {
  try {
    const result = await lighthouse(job.url, { ...job.flags, port: job.port })
    if (!result) return { ok: false, message: 'Lighthouse gave no result' }
    await writeFile(job.resultFile, JSON.stringify(result.lhr))
    return { ok: true }
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) }
  }
}
