import { fileURLToPath } from 'node:url'
import { startWorker, type Worker } from '../contract/processes.ts'
import type { Contender, Sink } from './contenders.ts'

const app = fileURLToPath(new URL('app.mjs', import.meta.url))

/** The app under one contender, on core 0. */
export function startApp(
  contender: Contender,
  databaseUrl: string,
  sink: Sink,
  more: { args?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Worker> {
  const env = contender.env(sink)
  if (typeof env === 'string') throw new Error(env)
  return startWorker([...contender.args, ...(more.args ?? []), app], {
    core: 0,
    env: { NODE_ENV: 'production', BENCH_DATABASE_URL: databaseUrl, ...env, ...more.env },
  })
}
