import type { ImportFormat } from '@hotspan/collector'
import { Command, Option } from 'commander'
import type { ImportFlags } from '../actions/import.ts'
import { choice } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'
import type { SetExit } from '../program.ts'

// Not asked of the collector: the help must not load it.
const importFormats: readonly ImportFormat[] = ['otlp-json', 'otlp-protobuf', 'jaeger', 'zipkin', 'chrome']

export const importCommand = (setExit: SetExit): Command =>
  addStoreOptions(
    new Command('import')
      .description('put trace files into the store: OTLP, Jaeger, Zipkin, Chrome')
      .argument('<FILE...>', 'files, plain or gzip')
      .addOption(
        new Option('--format <format>', `what the files are: ${importFormats.join(', ')}`).argParser(
          choice('--format', importFormats),
        ),
      ),
  ).action(async (files: string[], flags: ImportFlags) =>
    (await import('../actions/import.ts')).runImport(files, flags, setExit),
  )
