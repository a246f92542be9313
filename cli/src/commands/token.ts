import { Command, Option } from 'commander'
import { type TokenFlags, tokenActions } from '../actions/token-flags.ts'
import { numberBetween } from '../config/parse.ts'
import { choice, parsed } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'

const gather = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]
const wholeNumber = numberBetween(1, Number.MAX_SAFE_INTEGER, true)
const amount = (flag: string) =>
  parsed(flag, (text) => (text === 'none' ? null : wholeNumber(text)), 'a whole number from 1, or none')

export const tokenCommand = (): Command =>
  addStoreOptions(
    new Command('token')
      .description('tokens of senders and readers, and what a project may send')
      .argument('<ACTION>', 'create, list, revoke or limit', choice('ACTION', tokenActions))
      .argument('[ID]', 'token to revoke, from the list')
      .addOption(
        new Option('--kind <kind>', 'write, browser or read')
          .argParser(choice('--kind', ['write', 'browser', 'read']))
          .default('write'),
      )
      .option('--label <text>', 'what it is for')
      .option('--origin <origin>', 'of pages that may use a browser key; may repeat', gather)
      .addOption(
        new Option('--bytes-per-sec <n>', 'limit: mean of ten seconds').argParser(amount('--bytes-per-sec')),
      )
      .addOption(
        new Option('--bytes-per-day <n>', 'limit: of a UTC day').argParser(amount('--bytes-per-day')),
      )
      .addOption(
        new Option('--records-per-day <n>', 'limit: spans, logs, points').argParser(
          amount('--records-per-day'),
        ),
      )
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      ),
  ).action(async (action: (typeof tokenActions)[number], id: string | undefined, flags: TokenFlags) =>
    (await import('../actions/token.ts')).runToken(action, id, flags),
  )
