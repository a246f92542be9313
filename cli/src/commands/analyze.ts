import { Command, Option } from 'commander'
import type { AnalyzeFlags } from '../actions/analyze.ts'
import { choice } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'

export const analyzeCommand = (): Command =>
  addStoreOptions(
    new Command('analyze')
      .description('ranked findings of a time window')
      .addOption(
        new Option('--format <format>', 'text, json, markdown or html')
          .argParser(choice('--format', ['text', 'json', 'markdown', 'html']))
          .default('text'),
      )
      .option('--output <file>', 'write there instead of to stdout')
      .option('--since <duration>', 'window up to now: 15m, 2h, 7d (default: 1h)')
      .option('--from <time>', 'start of the window, ISO 8601')
      .option('--to <time>', 'end of the window, ISO 8601 (default: now)')
      .option('--brief', 'three lines a finding (text)')
      .option('--possible', 'also findings that are a pattern only')
      .option('--warm-up <seconds>', "leave out the start of a process's life")
      .option('--min-traces <n>', 'traces that a finding needs')
      .option('--min-minutes <n>', 'different minutes that a finding needs'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  hotspan analyze --since 15m\n  hotspan analyze --format html --output report.html\n  hotspan analyze --format markdown >> "$GITHUB_STEP_SUMMARY"',
    )
    .action(async (flags: AnalyzeFlags) => (await import('../actions/analyze.ts')).runAnalyze(flags))
