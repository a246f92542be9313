import { Command, Option } from 'commander'
import type { DoctorFlags } from '../actions/doctor.ts'
import { choice } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'

export const doctorCommand = (setExit: SetExit): Command =>
  addStoreOptions(
    new Command('doctor')
      .description('what works here, what is missing, how to get it')
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      )
      .option('--output <file>', 'write there instead of to stdout'),
  )
    .addHelpText('after', '\nExit code 2 when something that a command needs is missing.')
    .action(async (flags: DoctorFlags) => (await import('../actions/doctor.ts')).runDoctor(flags, setExit))
