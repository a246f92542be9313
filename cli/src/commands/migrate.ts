import { Command } from 'commander'
import { addStoreOptions, type StoreFlags } from '../process/store-options.ts'

export const migrateCommand = (): Command =>
  addStoreOptions(
    new Command('migrate').description('make or update the tables of a project and stop'),
  ).action(async (flags: StoreFlags) => (await import('../actions/migrate.ts')).runMigrate(flags))
