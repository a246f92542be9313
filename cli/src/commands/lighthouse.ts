import { Command, Option } from 'commander'
import type { LighthouseFlags } from '../actions/lighthouse.ts'
import { durationExpected, parseDurationMs } from '../config/parse.ts'
import { choice, parsed } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'

export const lighthouseCommand = (): Command =>
  addStoreOptions(
    new Command('lighthouse')
      .description('measure one page in Chromium and record the run')
      .argument('<URL>', 'page to load')
      .addOption(
        new Option('--form-factor <kind>', 'mobile or desktop')
          .argParser(choice('--form-factor', ['mobile', 'desktop']))
          .default('mobile'),
      )
      .option('--scenario <name>', 'name that groups runs', 'lighthouse')
      .addOption(
        new Option('--timeout <duration>', 'limit of the whole run')
          .argParser(parsed('--timeout', parseDurationMs, durationExpected))
          .default(120_000, '2m'),
      )
      .option('--chrome <file>', 'Chromium to use (default: CHROME_PATH, then found)')
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      )
      .option('--output <file>', 'write the summary there instead of to stdout')
      .option('--no-import', 'only the run folder, not the store'),
  ).action(async (address: string, flags: LighthouseFlags) =>
    (await import('../actions/lighthouse.ts')).measurePage(address, flags),
  )
