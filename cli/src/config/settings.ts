import { isAbsolute, resolve } from 'node:path'
import { badValue } from '../errors.ts'
import type { LoadedConfig } from './load-config.ts'
import { numberBetween } from './parse.ts'

/** One setting: where it may stand and how it is read. Flags win over variables, variables over the file. */
export interface Setting<T> {
  /** Dotted key of the configuration file. */
  readonly key: string
  readonly flag: string
  readonly variable: string
  readonly expected: string
  readonly fallback: T
  read(value: unknown): T | undefined
}

const text =
  (pattern: RegExp) =>
  (value: unknown): string | undefined =>
    typeof value === 'string' && pattern.test(value) ? value : undefined

const define = <T>(setting: Setting<T>): Setting<T> => setting
const port = numberBetween(0, 65_535, true)
const portExpected = 'a port from 0 (any free one) to 65535'

export const settings = {
  project: define({
    key: 'project',
    flag: '--project',
    variable: 'HOTSPAN_PROJECT',
    expected: '1 to 40 of a-z, 0-9 and _',
    fallback: 'default',
    read: text(/^[a-z0-9_]{1,40}$/),
  }),
  dataDir: define({
    key: 'dataDir',
    flag: '--data-dir',
    variable: 'HOTSPAN_DATA_DIR',
    expected: 'a directory',
    fallback: '.hotspan',
    read: text(/^[^\0]+$/),
  }),
  host: define({
    key: 'host',
    flag: '--host',
    variable: 'HOTSPAN_HOST',
    expected: 'a host name or address',
    fallback: '127.0.0.1',
    read: text(/^[A-Za-z0-9.:_-]+$/),
  }),
  otlpHttpPort: define({
    key: 'otlpHttpPort',
    flag: '--otlp-port',
    variable: 'HOTSPAN_OTLP_PORT',
    expected: portExpected,
    fallback: 4318,
    read: port,
  }),
  otlpGrpcPort: define<number>({
    key: 'otlpGrpcPort',
    flag: '--otlp-grpc-port',
    variable: 'HOTSPAN_OTLP_GRPC_PORT',
    expected: portExpected,
    fallback: 4317,
    read: port,
  }),
  clickHousePort: define<number | undefined>({
    key: 'clickHousePort',
    flag: '--clickhouse-port',
    variable: 'HOTSPAN_CLICKHOUSE_PORT',
    expected: portExpected,
    fallback: undefined,
    read: port,
  }),
  pathPrefix: define({
    key: 'pathPrefix',
    flag: '--path-prefix',
    variable: 'HOTSPAN_PATH_PREFIX',
    expected: 'a path such as /otlp, without a slash at its end',
    fallback: '',
    read: text(/^(?:\/[A-Za-z0-9._~-]+)*$/),
  }),
  forwardTo: define<string | undefined>({
    key: 'forwardTo',
    flag: '--forward-to',
    variable: 'HOTSPAN_FORWARD_URL',
    expected: 'the http://, https://, grpc:// or grpcs:// address of an OTLP receiver',
    fallback: undefined,
    read: text(/^(?:http|grpc)s?:\/\/[^\s]+$/),
  }),
  tlsCert: define<string | undefined>({
    key: 'tlsCert',
    flag: '--tls-cert',
    variable: 'HOTSPAN_TLS_CERT',
    expected: 'a PEM file',
    fallback: undefined,
    read: text(/^[^\0]+$/),
  }),
  tlsKey: define<string | undefined>({
    key: 'tlsKey',
    flag: '--tls-key',
    variable: 'HOTSPAN_TLS_KEY',
    expected: 'a PEM file',
    fallback: undefined,
    read: text(/^[^\0]+$/),
  }),
  pagePort: define({
    key: 'pagePort',
    flag: '--page-port',
    variable: 'HOTSPAN_PAGE_PORT',
    expected: portExpected,
    fallback: 4319,
    read: port,
  }),
  retentionDays: define<number | undefined>({
    key: 'retentionDays',
    flag: '--retention-days',
    variable: 'HOTSPAN_RETENTION_DAYS',
    expected: 'days from 0 (keep all) to 3650',
    fallback: undefined,
    read: numberBetween(0, 3650, true),
  }),
  maxStoreGb: define<number | undefined>({
    key: 'maxStoreGb',
    flag: '--max-store-gb',
    variable: 'HOTSPAN_STORE_MAX_GB',
    expected: 'gigabytes from 0.05, or 0 for no cap',
    fallback: undefined,
    read: (value) => {
      const gigabytes = numberBetween(0, 1e6, false)(value)
      return gigabytes !== undefined && gigabytes > 0 && gigabytes < 0.05 ? undefined : gigabytes
    },
  }),
  warmUpSec: define<number | undefined>({
    key: 'analysis.warmUpSec',
    flag: '--warm-up',
    variable: 'HOTSPAN_WARM_UP_SEC',
    expected: 'seconds from 0 to 3600',
    fallback: undefined,
    read: numberBetween(0, 3600, false),
  }),
  minTraces: define<number | undefined>({
    key: 'analysis.minTraces',
    flag: '--min-traces',
    variable: 'HOTSPAN_MIN_TRACES',
    expected: 'a whole number from 3 to 10000',
    fallback: undefined,
    read: numberBetween(3, 10_000, true),
  }),
  minMinutes: define<number | undefined>({
    key: 'analysis.minMinutes',
    flag: '--min-minutes',
    variable: 'HOTSPAN_MIN_MINUTES',
    expected: 'a whole number from 2 to 1440',
    fallback: undefined,
    read: numberBetween(2, 1440, true),
  }),
}

/** Whether a person chose the value, and where. */
export type Origin = 'flag' | 'variable' | 'file' | 'default'

const valueAt = (file: unknown, key: string): unknown =>
  key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], file)

/** The value of one setting and where it came from. `flag` is the text behind the flag, `undefined` when it was not given. */
export const settle = <T>(
  setting: Setting<T>,
  flag: string | undefined,
  env: NodeJS.ProcessEnv,
  config: LoadedConfig,
): { readonly value: T; readonly origin: Origin } => {
  const read = (value: unknown, where: string): T => {
    const got = setting.read(value)
    if (got === undefined) throw badValue(where, value, setting.expected)
    return got
  }
  if (flag !== undefined) return { value: read(flag, setting.flag), origin: 'flag' }
  const variable = env[setting.variable]
  if (variable !== undefined && variable !== '')
    return { value: read(variable, setting.variable), origin: 'variable' }
  const fromFile = valueAt(config.config, setting.key)
  if (fromFile !== undefined)
    return { value: read(fromFile, `${setting.key} in ${config.file}`), origin: 'file' }
  return { value: setting.fallback, origin: 'default' }
}

/** The data directory as an absolute path: of a flag or variable from the working directory, of the file from the file's own. */
export const settleDataDir = (
  flag: string | undefined,
  env: NodeJS.ProcessEnv,
  config: LoadedConfig,
  cwd: string,
): string => {
  const { value, origin } = settle(settings.dataDir, flag, env, config)
  if (isAbsolute(value)) return value
  return resolve(origin === 'file' || origin === 'default' ? config.directory : cwd, value)
}
