import { type Command, Option } from 'commander'
import { type LoadedConfig, loadConfig } from '../config/load-config.ts'
import { settings, settle, settleDataDir } from '../config/settings.ts'

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
