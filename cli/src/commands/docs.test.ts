import { readdirSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { settings } from '../config/settings.ts'
import { createProgram } from '../program.ts'

const folder = new URL('../../docs/', import.meta.url)
const commands: readonly Command[] = createProgram(() => undefined).commands
const flagsOf = (command: Command): string[] => command.options.map((option) => option.long!).concat('--help')
const pageOf = (name: string): string => readFileSync(new URL(`${name}.md`, folder), 'utf8')

test('the README names every command and every setting, with flag, variable and key', () => {
  const readme = readFileSync(new URL('../README.md', folder), 'utf8')
  for (const command of commands) expect(readme).toContain(`(docs/${command.name()}.md)`)
  for (const { flag, variable, key } of Object.values(settings))
    expect(readme).toMatch(new RegExp(`\\| \`${flag}\` +\\| \`${variable}\` +\\| \`${key}\` +\\|`))
})

test('every command has a page and every page a command', () => {
  const pages = readdirSync(folder).map((file) => file.replace(/\.md$/, ''))
  expect(pages.sort()).toEqual(commands.map((command) => command.name()).sort())
})

test.each(commands.map((command) => [command.name(), command] as const))(
  'page of %s: form, and only flags that exist',
  (name, command) => {
    const page = pageOf(name)
    expect(page).toMatch(new RegExp(`^# hotspan ${name}\n`))
    for (const heading of ['One real run', 'Options', 'What it costs', 'When it is wrong']) {
      expect(page).toContain(`\n## ${heading}\n`)
    }
    // A flag behind another program's name (npm, docker) is not ours.
    const own = page.replace(/`(?:npm|apt-get|docker|node) [^`]*`/g, '')
    const all = new Set(commands.flatMap(flagsOf))
    for (const [flag] of own.matchAll(/--[a-z][a-z0-9-]*/g)) {
      const real = flag.replace(/^--no-/, '--')
      expect(all.has(flag) || all.has(real), `${flag} in docs/${name}.md`).toBe(true)
    }
    for (const flag of flagsOf(command)) {
      if (flag !== '--help') expect(page, `${flag} is not explained in docs/${name}.md`).toContain(flag)
    }
  },
)
