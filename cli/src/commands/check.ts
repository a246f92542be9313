import { Command, Option } from 'commander'
import type { CheckFlags } from '../actions/check.ts'
import { type BudgetText, budgetExpected, parseBudget } from '../config/parse-budget.ts'
import { choice, parsed } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'

export const checkCommand = (setExit: SetExit): Command =>
  addStoreOptions(
    new Command('check')
      .description('hold recorded runs against budgets')
      .addOption(
        new Option('--budget <text>', "'p95<=250ms'; repeat it")
          .argParser((text: string, before: BudgetText[]) => [
            ...before,
            parsed('--budget', parseBudget, budgetExpected)(text),
          ])
          .default([], "the configuration's"),
      )
      .addOption(
        new Option('--run <id>', 'run id or folder; repeat it')
          .argParser((text: string, before: string[]) => [...before, text])
          .default([], 'the latest of each kind'),
      )
      .addOption(
        new Option('--format <format>', 'text, json or markdown')
          .argParser(choice('--format', ['text', 'json', 'markdown']))
          .default('text'),
      )
      .option('--output <file>', 'write there instead of to stdout'),
  )
    .addHelpText(
      'after',
      "\nExit codes: 0 kept, 1 broken, 2 no run or budget, 3 inconclusive.\n\nExamples:\n  hotspan check --budget 'p95<=250ms' --budget 'error_rate<=1%'\n  hotspan check --budget 'GET /products p99<=400ms' --format markdown",
    )
    .action(async (flags: CheckFlags) => (await import('../actions/check.ts')).runCheck(flags, setExit))
