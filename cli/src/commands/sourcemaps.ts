import { Argument, Command, Option } from 'commander'
import type { SourcemapsFlags } from '../actions/sourcemaps.ts'
import { choice } from '../process/choice.ts'
import { addStoreOptions } from '../process/store-options.ts'

export const sourcemapsCommand = (): Command =>
  addStoreOptions(
    new Command('sourcemaps')
      .description('store the source maps of a browser build')
      .addArgument(new Argument('<ACTION>', 'upload').argParser(choice('ACTION', ['upload'])))
      .argument('<DIR>', 'folder that the build plugin wrote (hotspan-sourcemaps)')
      .addOption(
        new Option(
          '--url <address>',
          'page of a collector on another machine; its token is read from HOTSPAN_PAGE_TOKEN',
        ),
      )
      .addOption(
        new Option('--format <format>', 'text or json')
          .argParser(choice('--format', ['text', 'json']))
          .default('text'),
      ),
  ).action(async (_action: 'upload', folder: string, flags: SourcemapsFlags) =>
    (await import('../actions/sourcemaps.ts')).runSourcemapsUpload(folder, flags),
  )
