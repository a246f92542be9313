// `npm run tools [-- NAME...]`: builds what has to be built (k6, a stock OpenTelemetry Collector, FerretDB) once, into a cache outside the
// repository. Names: k6, collector, ferretdb; all of them without one.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cacheFolder } from './setup.mjs'

const k6Version = 'v1.8.1'
/** The newest release line of which the Go module proxy serves every module below. */
const collectorVersion = 'v0.157.0'
/** Which list of modules it is: raised when `modules` changes, so that a build of the old list is not taken for this one. */
const collectorBuild = 2
const providerVersion = 'v1.63.0'

/** Speaks MongoDB's protocol over SQLite, for the tests of the agent; the real server is in no registry. */
const ferretVersion = 'v1.24.0'
const ferretProgram = `package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// Arguments: the address to listen on, a folder for the data.
func main() {
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: os.Args[1]},
		Handler:   "sqlite",
		SQLiteURL: "file:" + os.Args[2] + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := server.Run(ctx); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}
`

const core = (path) => `go.opentelemetry.io/collector/${path} ${collectorVersion}`
const contrib = (path, version = collectorVersion) =>
  `github.com/open-telemetry/opentelemetry-collector-contrib/${path} ${version}`
const provider = (name) => `go.opentelemetry.io/collector/confmap/provider/${name}provider ${providerVersion}`

const modules = {
  extensions: [
    contrib('extension/bearertokenauthextension'),
    contrib('extension/healthcheckextension'),
    // The proxy has no v0.157.0 of this one.
    contrib('extension/storage/filestorage', 'v0.156.0'),
  ],
  receivers: [core('receiver/otlpreceiver')],
  processors: [
    core('processor/batchprocessor'),
    core('processor/memorylimiterprocessor'),
    contrib('processor/tailsamplingprocessor'),
  ],
  connectors: [contrib('connector/spanmetricsconnector'), contrib('connector/servicegraphconnector')],
  exporters: [
    core('exporter/debugexporter'),
    core('exporter/otlphttpexporter'),
    contrib('exporter/clickhouseexporter'),
    contrib('exporter/prometheusexporter'),
    contrib('exporter/loadbalancingexporter'),
  ],
  providers: [provider('yaml'), provider('env'), provider('file')],
}

function manifest(folder) {
  const lines = ['dist:', '  name: otelcol-hotspan', `  output_path: ${folder}`]
  for (const [kind, list] of Object.entries(modules))
    lines.push(`${kind}:`, ...list.map((gomod) => `  - gomod: ${gomod}`))
  return `${lines.join('\n')}\n`
}

function go(title, command, args, env, cwd) {
  console.error(`tools   ${title}`)
  const result = spawnSync(command, args, {
    cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  if (result.status === 0) return true
  console.error(
    `tools   failed: ${(result.stderr || String(result.error)).trim().split('\n').slice(-8).join('\n')}`,
  )
  return false
}

const bin = join(cacheFolder, 'bin')

const tools = {
  k6: {
    path: join(bin, 'k6'),
    build: () =>
      go(`k6 ${k6Version} (about 3 minutes)`, 'go', ['install', `go.k6.io/k6@${k6Version}`], { GOBIN: bin }),
  },
  collector: {
    path: join(cacheFolder, `otelcol-${collectorVersion}.${collectorBuild}`, 'otelcol-hotspan'),
    build() {
      const file = `${dirname(this.path)}.yaml`
      writeFileSync(file, manifest(dirname(this.path)))
      const builder = `go.opentelemetry.io/collector/cmd/builder@${collectorVersion}`
      return (
        go(`Collector builder ${collectorVersion}`, 'go', ['install', builder], { GOBIN: bin }) &&
        go('OpenTelemetry Collector (about 6 minutes)', join(bin, 'builder'), ['--config', file])
      )
    },
  },
  ferretdb: {
    path: join(bin, 'hotspan-ferretdb'),
    build() {
      const folder = join(cacheFolder, `ferretdb-${ferretVersion}`)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'main.go'), ferretProgram)
      const require = `require github.com/FerretDB/FerretDB ${ferretVersion}`
      writeFileSync(join(folder, 'go.mod'), `module hotspan/ferretdb\n\ngo 1.22\n\n${require}\n`)
      return (
        go(`FerretDB ${ferretVersion} (about a minute)`, 'go', ['mod', 'tidy'], {}, folder) &&
        go('  building', 'go', ['build', '-o', this.path, '.'], {}, folder)
      )
    },
  },
}

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !Object.hasOwn(tools, name))
if (unknown !== undefined) {
  console.error(`tools   '${unknown}' is none of them; expected ${Object.keys(tools).join(', ')}`)
  process.exit(2)
}
mkdirSync(bin, { recursive: true })
let ok = true
for (const name of asked.length > 0 ? asked : Object.keys(tools)) {
  const tool = tools[name]
  if (!existsSync(tool.path)) {
    if (spawnSync('go', ['version']).status !== 0) {
      console.error(
        `tools   Go is missing: ${name} is built from Go modules. Install Go >= 1.26, then run this again.`,
      )
      process.exit(2)
    }
    if (!tool.build()) {
      ok = false
      continue
    }
  }
  console.log(`${name.padEnd(10)} ${tool.path}`)
}
process.exit(ok ? 0 : 1)
