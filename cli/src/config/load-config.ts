import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { badValue, CliError, missingSetUp, unknownName } from '../errors.ts'
import { exitCode } from '../exit-codes.ts'
import type { HotspanConfig } from './define-config.ts'
import { budgetExpected, parseBudget } from './parse-budget.ts'
import { settings } from './settings.ts'

export interface LoadedConfig {
  readonly config: HotspanConfig
  /** File name for messages; `''` when there is no file. */
  readonly file: string
  /** Directory of the file, else the working directory. */
  readonly directory: string
}

const fileNames = ['hotspan.config.ts', 'hotspan.config.mts', 'hotspan.config.js', 'hotspan.config.mjs']
const topKeys = [
  'project',
  'dataDir',
  'host',
  'otlpHttpPort',
  'otlpGrpcPort',
  'clickHousePort',
  'pathPrefix',
  'forwardTo',
  'tlsCert',
  'tlsKey',
  'pagePort',
  'retentionDays',
  'maxStoreGb',
  'analysis',
  'budgets',
]
const analysisKeys = ['warmUpSec', 'minTraces', 'minMinutes']

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Checks the whole file, also keys that no flag of this command reads. Errors name key, value and expectation. */
export const validateConfig = (value: unknown, file: string): HotspanConfig => {
  if (!isRecord(value))
    throw badValue(`the default export of ${file}`, value, 'an object; wrap it in defineConfig({ ... })')
  for (const key of Object.keys(value)) {
    if (!topKeys.includes(key)) throw unknownName('configuration key', key, topKeys, `in ${file}`)
  }
  const { analysis, budgets } = value
  if (analysis !== undefined) {
    if (!isRecord(analysis)) throw badValue(`analysis in ${file}`, analysis, 'an object')
    for (const key of Object.keys(analysis)) {
      if (!analysisKeys.includes(key))
        throw unknownName(
          'configuration key',
          `analysis.${key}`,
          analysisKeys.map((name) => `analysis.${name}`),
          `in ${file}`,
        )
    }
  }
  for (const setting of Object.values(settings)) {
    const [first = '', second] = setting.key.split('.')
    const at = second === undefined ? value[first] : isRecord(value[first]) ? value[first][second] : undefined
    if (at === undefined) continue
    const wrongType = typeof at === 'string' && typeof setting.read('1') === 'number'
    if (wrongType || setting.read(at) === undefined)
      throw badValue(`${setting.key} in ${file}`, at, setting.expected)
  }
  if (budgets !== undefined) {
    const expected = "a list of budgets such as ['p95<=250ms']"
    if (!Array.isArray(budgets)) throw badValue(`budgets in ${file}`, budgets, expected)
    for (const [index, budget] of budgets.entries()) {
      if (typeof budget !== 'string' || parseBudget(budget) === undefined) {
        throw badValue(`budgets[${index}] in ${file}`, budget, budgetExpected)
      }
    }
  }
  return value as HotspanConfig
}

/** The file named by `--config`, else the nearest `hotspan.config.*` from the working directory upwards to the first `package.json`'s folder with one, else none. */
const findConfigFile = (cwd: string, named: string | undefined): string | undefined => {
  if (named !== undefined) {
    const file = resolve(cwd, named)
    if (!existsSync(file)) throw badValue('--config', named, 'a file that exists')
    return file
  }
  for (let directory = cwd; ; directory = dirname(directory)) {
    const found = fileNames.map((name) => join(directory, name)).find((file) => existsSync(file))
    if (found !== undefined) return found
    if (existsSync(join(directory, 'package.json')) || dirname(directory) === directory) return undefined
  }
}

/** A project without `"type": "module"` is no fault of its configuration: Node's warning about it is not passed on. */
const importQuietly = async (path: string): Promise<{ default?: unknown }> => {
  const { emitWarning } = process
  process.emitWarning = (...args: unknown[]) => {
    const typeless = args.some(
      (arg) =>
        arg === 'MODULE_TYPELESS_PACKAGE_JSON' ||
        (arg as { code?: unknown } | undefined)?.code === 'MODULE_TYPELESS_PACKAGE_JSON',
    )
    if (!typeless) Reflect.apply(emitWarning, process, args)
  }
  try {
    return await import(pathToFileURL(path).href)
  } finally {
    process.emitWarning = emitWarning
  }
}

/** Loads and checks the configuration; Node itself strips the types of a `.ts` file. */
export const loadConfig = async (cwd: string, named?: string): Promise<LoadedConfig> => {
  const path = findConfigFile(cwd, named)
  if (path === undefined) return { config: {}, file: '', directory: cwd }
  const file = named ?? path.slice(dirname(path).length + 1)
  let loaded: { default?: unknown }
  try {
    loaded = await importQuietly(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CliError(
      'HS_CONFIG_LOAD',
      exitCode.usage,
      `${file} cannot be loaded: ${reason}`,
      `Try: node ${file}`,
    )
  }
  if (loaded.default === undefined) {
    throw missingSetUp(
      `${file} has no default export`,
      "Write: export default defineConfig({ ... }) with defineConfig from 'hotspan'",
    )
  }
  return { config: validateConfig(loaded.default, file), file, directory: dirname(path) }
}
