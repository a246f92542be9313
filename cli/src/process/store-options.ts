import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { type LoadedConfig, loadConfig } from '../config/load-config.ts'
import { settings, settle, settleDataDir } from '../config/settings.ts'
import { missingSetUp } from '../errors.ts'
import { shownPath } from './shown-path.ts'

/** Flags of every command that reads or writes the store. */
export interface StoreFlags {
  readonly config?: string
  readonly dataDir?: string
  readonly project?: string
}

export const addStoreOptions = (command: Command): Command =>
  command
    .addOption(new Option('--project <name>', 'project in the store (default: "default")'))
    .addOption(new Option('--data-dir <dir>', 'directory of the store (default: ".hotspan")'))
    .addOption(new Option('--config <file>', 'configuration file (default: hotspan.config.ts)'))

export interface StorePlace {
  readonly dataDir: string
  readonly project: string
  readonly config: LoadedConfig
}

/** Where the store is: flags over variables over the file. */
export const storePlace = async (flags: StoreFlags): Promise<StorePlace> => {
  const config = await loadConfig(process.cwd(), flags.config)
  return {
    config,
    dataDir: settleDataDir(flags.dataDir, process.env, config, process.cwd()),
    project: settle(settings.project, flags.project, process.env, config).value,
  }
}

/** For commands that only read: a slip in the name of a directory must not make an empty store. Asked when all values are known to be good. */
export const requireStore = ({ dataDir }: StorePlace): void => {
  if (process.env.HOTSPAN_CLICKHOUSE_URL || existsSync(dataDir)) return
  throw missingSetUp(
    `there is no store in ${shownPath(dataDir)}`,
    'Start one with hotspan dev or hotspan collector, or name its directory with --data-dir',
  )
}

/** Retention and size cap, where a person set them; else the collector's own defaults hold. */
export const storeBounds = (
  flags: { readonly retentionDays?: string; readonly maxStoreGb?: string },
  config: LoadedConfig,
): { retentionDays?: number; maxStoreBytes?: number } => {
  const days = settle(settings.retentionDays, flags.retentionDays, process.env, config).value
  const gigabytes = settle(settings.maxStoreGb, flags.maxStoreGb, process.env, config).value
  return {
    ...(days === undefined ? {} : { retentionDays: days }),
    ...(gigabytes === undefined ? {} : { maxStoreBytes: gigabytes * 1e9 }),
  }
}
