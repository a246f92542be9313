// The commands of the README (and bench, tools) start here, on whatever Node the machine has: set up, then go on under Node 24.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { setUp } from './setup.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What each command needs besides packages and Node, and the script that it runs; `build` is set-up alone. */
const commands = {
  demo: { needs: ['chromium', 'postgres'], build: true, script: 'examples/demo/dist/main.js' },
  test: {
    needs: ['chromium', 'postgres', 'redis', 'mariadb', 'rabbitmq'],
    forTests: true,
    build: true,
    script: 'scripts/test.mjs',
  },
  bench: { needs: [], build: true, script: 'scripts/bench.mjs' },
  tools: { needs: [], build: false, script: 'scripts/tools.mjs' },
  build: { needs: [], build: true },
  hotspan: { needs: [], build: false, script: 'cli/bin/hotspan.js' },
}

const [name = '', ...rest] = process.argv.slice(2)
const command = commands[name]
if (!command) {
  console.error(`run: '${name}' is not a command; expected one of ${Object.keys(commands).join(', ')}`)
  process.exit(2)
}

const env = await setUp({ root, ...command })
if (!command.script) process.exit(0)
const child = spawn(env.nodePath, [command.script, ...rest], {
  cwd: root,
  env: env.variables,
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 130 : code))
