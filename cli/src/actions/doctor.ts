import { settings, settle } from '../config/settings.ts'
import type { DoctorCheck } from '../doctor/check.ts'
import { checkDiskUse } from '../doctor/check-disk-use.ts'
import {
  checkAgent,
  checkChromium,
  checkDataDirectory,
  checkNode,
  checkProfiler,
} from '../doctor/check-machine.ts'
import { checkCollector, checkStore } from '../doctor/check-store.ts'
import { exitCode } from '../exit-codes.ts'
import { writeData } from '../process/output.ts'
import { type StoreFlags, storeBounds, storePlace } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'
import { renderJson } from '../render/json.ts'
import { type Colors, colors, columnsOf, wantsColor, wrap } from '../render/terminal.ts'
import { visibleLine } from '../render/visible-text.ts'

export interface DoctorFlags extends StoreFlags {
  readonly format: 'text' | 'json'
  readonly output?: string
}

const stateWord = (color: Colors, check: DoctorCheck): string =>
  check.state === 'ok'
    ? color.green('ok     ')
    : check.state === 'warning'
      ? color.yellow('warning')
      : color.red('missing')

/** A line per check, and how to get what is missing. */
const renderDoctorText = (checks: readonly DoctorCheck[], color: Colors, width: number): string => {
  const lines = checks.flatMap((check) => {
    const [first = '', ...more] = wrap(visibleLine(check.found), width - 26)
    const own = [
      `${stateWord(color, check)}  ${check.id.padEnd(16)} ${first}`,
      ...more.map((line) => `${' '.repeat(26)}${line}`),
    ]
    if (check.state === 'ok') return own
    const rest = [`needed by: ${check.neededBy}`, `fix: ${check.fix}`]
    return [
      ...own,
      ...rest
        .flatMap((text) => wrap(visibleLine(text), width - 26))
        .map((line) => `${' '.repeat(26)}${line}`),
    ]
  })
  return `${lines.join('\n')}\n`
}

export const runDoctor = async (flags: DoctorFlags, setExit: SetExit): Promise<void> => {
  const place = await storePlace(flags)
  const host = settle(settings.host, undefined, process.env, place.config).value
  const port = settle(settings.otlpHttpPort, undefined, process.env, place.config).value
  const checks: DoctorCheck[] = [
    checkNode(),
    {
      id: 'configuration',
      state: 'ok',
      found: place.config.file === '' ? 'no hotspan.config.ts: defaults' : place.config.file,
      neededBy: 'everything',
      fix: '',
    },
    await checkStore(process.env.HOTSPAN_CLICKHOUSE_URL),
    checkAgent(),
    checkProfiler(),
    checkChromium(),
    ...(await checkDataDirectory(place.dataDir)),
    ...(await checkDiskUse(place.dataDir, storeBounds({}, place.config))),
    await checkCollector(place.dataDir, host, port),
  ]
  if (checks.some((check) => check.state === 'missing')) setExit(exitCode.usage)
  if (flags.format === 'json') return await writeData(renderJson({ schemaVersion: 1, checks }), flags.output)
  const color = colors(flags.output === undefined && wantsColor(process.stdout, process.env))
  await writeData(renderDoctorText(checks, color, columnsOf(process.stdout)), flags.output)
}
