import { Command, Option } from 'commander'
import type { RestoreFlags } from '../actions/restore.ts'
import { choice } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'

export const restoreCommand = (): Command =>
  addStoreOptions(
    new Command('restore')
      .description('put a backup into the data directory')
      .argument('<BACKUP>', 'folder or file that hotspan backup wrote')
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      ),
  ).action(async (from: string, flags: RestoreFlags) =>
    (await import('../actions/restore.ts')).runRestore(from, flags),
  )
