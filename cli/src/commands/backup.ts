import { Command, Option } from 'commander'
import type { BackupFlags } from '../actions/backup.ts'
import { choice } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'

export const backupCommand = (): Command =>
  addStoreOptions(
    new Command('backup')
      .description('copy the data directory, also while it is in use')
      .argument('<TARGET>', 'new folder, or file ending in .tar, .tar.gz or .tgz')
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      ),
  ).action(async (target: string, flags: BackupFlags) =>
    (await import('../actions/backup.ts')).runBackup(target, flags),
  )
