// node benchmarks/run.ts NAME [--json] [--full] [--rounds N]: runs one benchmark and prints its table.
import { existsSync, readdirSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { parseArgs } from 'node:util'
import type { Bench } from './contract/definition.ts'
import { jsonLine, printTable } from './contract/print.ts'

const limitMs = 25 * 60_000
const here = new URL('.', import.meta.url)

function names(): string[] {
  return readdirSync(here, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/bench.ts`, here)))
    .map((entry) => entry.name)
    .sort()
}

function usage(message: string): never {
  console.error(`bench: ${message}\nusage: npm run bench -- NAME [--json] [--full] [--rounds N]`)
  console.error(`there are: ${names().join(', ')}`)
  process.exit(2)
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean' }, full: { type: 'boolean' }, rounds: { type: 'string' } },
    })
  } catch (error) {
    usage((error as Error).message)
  }
}

const { values, positionals } = readArguments()
const [name] = positionals
if (positionals.length !== 1) usage(positionals.length === 0 ? 'no name was given' : 'one name is expected')
if (!names().includes(name!)) usage(`'${name}' is no benchmark`)
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1)) {
  usage(`--rounds is '${values.rounds}'; expected a whole number from 1`)
}

const { bench } = (await import(`./${name}/bench.ts`)) as { bench: Bench }
for (const folder of bench.packages) {
  if (existsSync(new URL(`../${folder}/dist`, here))) continue
  console.error(`bench: ${folder} is not built; run npm run bench -- ${name}, or npm run build in the root`)
  process.exit(2)
}

const abort = new AbortController()
const timer = values.full
  ? undefined
  : setTimeout(() => abort.abort(new Error('25 minutes are over')), limitMs)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => abort.abort(new Error(signal)))
const startedMs = performance.now()
try {
  const result = await bench.run({
    full: values.full ?? false,
    rounds,
    progress: (line) => console.error(`bench   ${line}`),
    signal: abort.signal,
  })
  const machine = `machine: ${cpus()[0]?.model}, ${cpus().length} cores, ${release()}, Node ${process.version}`
  const whole = { ...result, notes: [...result.notes, machine] }
  printTable(bench, whole, (performance.now() - startedMs) / 1000)
  if (values.json) console.log(jsonLine(bench, whole))
} catch (error) {
  console.error(
    `bench: ${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  )
  process.exitCode = 70
} finally {
  clearTimeout(timer)
}
