import type { Endpoint } from '@hotspan/loadtests'
import { Command, Option } from 'commander'
import type { LoadFlags } from '../actions/load.ts'
import { durationExpected, numberBetween, parseDurationMs } from '../config/parse.ts'
import { endpointExpected, parseEndpoint } from '../config/parse-endpoint.ts'
import { choice, parsed } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'

const collect = (text: string, before: Endpoint[]): Endpoint[] => [
  ...before,
  parsed('--endpoint', parseEndpoint, endpointExpected)(text),
]

export const loadCommand = (setExit: SetExit): Command =>
  addStoreOptions(
    new Command('load')
      .description('drive an open-model load and record the run')
      .argument('<URL>', 'where to send it; loopback unless --allow-remote')
      .addOption(
        new Option('--rate <n>', 'arrivals per second')
          .argParser(parsed('--rate', numberBetween(0.001, 20_000, false), 'a number from 0.001 to 20000'))
          .default(10),
      )
      .addOption(
        new Option('--duration <duration>', 'length of the measured part')
          .argParser(parsed('--duration', parseDurationMs, durationExpected))
          .default(30_000, '30s'),
      )
      .addOption(
        new Option('--warm-up <duration>', 'sent before, not measured')
          .argParser(
            parsed('--warm-up', (text) => (text === '0' ? 0 : parseDurationMs(text)), durationExpected),
          )
          .default(0, '0'),
      )
      .addOption(
        new Option('--arrivals <kind>', 'poisson or constant')
          .argParser(choice('--arrivals', ['poisson', 'constant']))
          .default('poisson'),
      )
      .addOption(
        new Option('--seed <n>', 'repeats a schedule (default: drawn)').argParser(
          parsed('--seed', numberBetween(0, Number.MAX_SAFE_INTEGER, true), 'a whole number'),
        ),
      )
      .addOption(
        new Option('--endpoint <request>', "'GET /products x3'; repeat it for a mix")
          .argParser(collect)
          .default([], "the URL's path"),
      )
      .addOption(
        new Option('--timeout <duration>', 'limit of one request')
          .argParser(parsed('--timeout', parseDurationMs, durationExpected))
          .default(10_000, '10s'),
      )
      .option('--scenario <name>', 'name that groups runs', 'load')
      .option('--allow-remote', 'allow another machine as the target')
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      )
      .option('--output <file>', 'write the summary there instead of to stdout')
      .option('--no-import', 'only the run folder, not the store'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  hotspan load http://127.0.0.1:3000/products --rate 20 --duration 1m\n  hotspan load http://127.0.0.1:3000 --endpoint "GET / x3" --endpoint /cart\n\nLatency counts from the intended start. Exit code 3: the run is void.',
    )
    .action(async (address: string, flags: LoadFlags) =>
      (await import('../actions/load.ts')).runLoad(address, flags, setExit),
    )
