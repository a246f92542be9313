import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { analyzeCommand } from './commands/analyze.ts'
import { backupCommand } from './commands/backup.ts'
import { checkCommand } from './commands/check.ts'
import { collectorCommand } from './commands/collector.ts'
import { dashboardsCommand } from './commands/dashboards.ts'
import { devCommand } from './commands/dev.ts'
import { doctorCommand } from './commands/doctor.ts'
import { importCommand } from './commands/import.ts'
import { lighthouseCommand } from './commands/lighthouse.ts'
import { loadCommand } from './commands/load.ts'
import { migrateCommand } from './commands/migrate.ts'
import { restoreCommand } from './commands/restore.ts'
import { sourcemapsCommand } from './commands/sourcemaps.ts'
import { tokenCommand } from './commands/token.ts'
import { traceCommand } from './commands/trace.ts'
import { exitCodeHelp } from './exit-codes.ts'

/** Sets the code that the process ends with when the command returns. */
export type SetExit = (code: number) => void

const packageVersion = (): string => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}

/** The whole command; one file under `commands/` per subcommand. */
export const createProgram = (setExit: SetExit): Command => {
  const program = new Command('hotspan')
    .description('Finds what is slow, proves why, and says what fixing it would save.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({
      helpWidth: 80,
      subcommandTerm: (command) =>
        [
          command.name(),
          ...command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`)),
        ].join(' '),
    })
    .showHelpAfterError('See: hotspan --help')
    .addHelpText('after', `\n${exitCodeHelp}\n\nStart here:  hotspan dev -- node app.js`)

  const groups: [string, Command[]][] = [
    [
      'Find:',
      [devCommand(setExit), analyzeCommand(), traceCommand(), collectorCommand(), importCommand(setExit)],
    ],
    ['Measure and judge:', [loadCommand(setExit), lighthouseCommand(), checkCommand(setExit)]],
    [
      'Set up:',
      [
        dashboardsCommand(),
        tokenCommand(),
        sourcemapsCommand(),
        doctorCommand(setExit),
        backupCommand(),
        restoreCommand(),
        migrateCommand(),
      ],
    ],
  ]
  for (const [heading, commands] of groups) {
    for (const command of commands) {
      command
        .helpGroup(heading)
        .helpOption('-h, --help', 'print this help')
        .exitOverride()
        .configureHelp({ helpWidth: 80 })
        .showHelpAfterError(`See: hotspan ${command.name()} --help`)
      program.addCommand(command)
    }
  }
  return program
}
