import { Command, Option } from 'commander'
import type { TraceFlags } from '../actions/trace.ts'
import { choice } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'

export const traceCommand = (): Command =>
  addStoreOptions(
    new Command('trace')
      .description('one trace as a waterfall in the terminal')
      .argument('<ID>', 'trace id, or enough of its first digits')
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      )
      .option('--output <file>', 'write there instead of to stdout')
      .option('--all', 'every span, statements in full'),
  ).action(async (id: string, flags: TraceFlags) => (await import('../actions/trace.ts')).runTrace(id, flags))
