import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { Pool } from 'undici'
import { decodeProfiles, decodeTraces, decodeTracesJson } from '../../otlp/dist/index.js'
import type { Bench, BenchOptions, BenchResult } from '../contract/definition.ts'
import { residentMiB, startWorker } from '../contract/processes.ts'
import { figure } from '../contract/spread.ts'
import { Random } from '../store-load/random.ts'
import { behindFirstSpan, type Mutated, Seeds } from './mutations.ts'

const figures = [
  { id: 'payloads', unit: '', target: '' },
  { id: 'crashes', unit: '', target: '<=0' },
  { id: 'hangs', unit: '', target: '<=0' },
  { id: 'wrong-answers', unit: '', target: '<=0' },
  { id: 'past-first-span', unit: 'ratio', target: '>=0.5' },
  { id: 'rss-max', unit: 'MiB', target: '<=512' },
]
const connections = 16
const hangMs = 20_000

export const bench: Bench = {
  name: 'fuzz',
  question:
    'mutated payloads to a real receiver: crashes, hangs, answers that the specification does not give, memory',
  packages: ['otlp', 'collector'],
  figures,
  run,
}

async function run(options: BenchOptions): Promise<BenchResult> {
  const payloads = Number(process.env.HOTSPAN_BENCH_PAYLOADS) || (options.full ? 1_000_000 : 200_000)
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-bench-fuzz-'))
  const entry = fileURLToPath(new URL('../receive/receiver-process.ts', import.meta.url))
  const worker = await startWorker([entry, folder])
  const pool = new Pool(String(worker.ready.url), { connections, pipelining: 1 })
  const seeds = new Seeds(new Random(20261121))
  let crashed = false
  worker.child.once('exit', () => {
    crashed = true
  })
  const count = { sent: 0, hangs: 0, wrong: 0, past: 0, spanBodies: 0, ok: 0 }
  const wrong: string[] = []
  let rss = 0
  try {
    const send = async () => {
      while (count.sent < payloads && !crashed) {
        options.signal.throwIfAborted()
        const payload = seeds.next()
        count.sent += 1
        if (count.sent % 2_000 === 0) rss = Math.max(rss, residentMiB(worker.child.pid!))
        if (count.sent % 50_000 === 0) options.progress(`${count.sent} payloads`)
        const expected = expectedOf(payload)
        if (payload.kind === 'protobuf' || payload.kind === 'json') {
          count.spanBodies += 1
          if (expected.pastFirst) count.past += 1
        }
        try {
          const answer = await pool.request({
            method: 'POST',
            path: payload.kind === 'profiles' ? '/v1development/profiles' : '/v1/traces',
            headers: payload.headers,
            body: payload.body,
            headersTimeout: hangMs,
            bodyTimeout: hangMs,
          })
          await answer.body.arrayBuffer()
          if (answer.statusCode === 200) count.ok += 1
          if (!expected.status.includes(answer.statusCode)) {
            count.wrong += 1
            if (wrong.length < 3)
              wrong.push(
                `${payload.kind} ${answer.statusCode}, expected ${expected.status.join(' or ')}: ${payload.body.toString('base64').slice(0, 600)}`,
              )
          }
        } catch (error) {
          if (!crashed) count.hangs += 1
          if (wrong.length < 3) wrong.push(`${payload.kind}: ${String(error)}`)
        }
      }
    }
    await Promise.all(Array.from({ length: connections }, send))
    return {
      rounds: 1,
      figures: [
        figure(figures[0]!, [count.sent]),
        figure(figures[1]!, [crashed ? 1 : 0]),
        figure(figures[2]!, [count.hangs]),
        figure(figures[3]!, [count.wrong]),
        figure(figures[4]!, [count.past / count.spanBodies]),
        figure(figures[5]!, [rss]),
      ],
      notes: [
        '70 % protobuf, 15 % JSON, 5 % profiles, 7 % damaged gzip, 3 % other content types; one to four changes each: bits, bytes, lying lengths, cuts, copies',
        `expected answers: 400 where the reference codec of @hotspan/otlp refuses the body, else 200; 415 for other types. ${count.ok} were taken`,
        'past the first span: the reference codec reads the body, or refuses it behind the content of its first span',
        ...wrong,
      ],
    }
  } finally {
    await pool.destroy()
    await worker.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the specification asks for, by the reference codec, which shares no code with the hot route but the varints. */
function expectedOf({ kind, body, headers }: Mutated): { status: number[]; pastFirst: boolean } {
  if (kind === 'headers') {
    const known = /^application\/(x-protobuf|json)/.test(headers['content-type']!)
    return { status: known ? [200] : [415], pastFirst: false }
  }
  let plain: Buffer = body
  if (kind === 'gzip') {
    try {
      plain = gunzipSync(body, { maxOutputLength: 64 * 1024 * 1024 })
    } catch {
      return { status: [400], pastFirst: false }
    }
  }
  try {
    if (kind === 'json') decodeTracesJson(plain)
    else if (kind === 'profiles') decodeProfiles(plain)
    else decodeTraces(plain)
    return { status: [200], pastFirst: true }
  } catch (error) {
    const at = (error as { offset?: number }).offset
    return {
      status: [400],
      pastFirst: typeof at === 'number' && at > behindFirstSpan(plain) && behindFirstSpan(plain) > 0,
    }
  }
}
