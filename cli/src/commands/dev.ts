import { Command } from 'commander'
import type { DevFlags } from '../actions/dev.ts'
import { missingSetUp } from '../errors.ts'
import { addStoreOptions } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'

export const devCommand = (setExit: SetExit): Command =>
  addStoreOptions(
    new Command('dev')
      .description('run a command with the agent and watch findings live')
      .usage('[options] [-- command...]')
      .argument('[command...]', 'the command to run; without one, only receives')
      .passThroughOptions()
      .option('--otlp-port <port>', 'OTLP/HTTP port (default: 4318 or the next free)')
      .option('--page-port <port>', 'port of the page (default: 4319 or the next free)')
      .option('--service <name>', 'service name (default: OTEL_SERVICE_NAME, package name)'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  hotspan dev -- node app.js\n  hotspan dev -- npm start\n\nEnds with the exit code of the command.',
    )
    .action(async (command: string[], flags: DevFlags) => {
      if (command[0]?.trim() === '') throw missingSetUp('the command is empty', 'hotspan dev -- node app.js')
      await (await import('../actions/dev.ts')).runDev(command, flags, setExit)
    })
