import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { findProgram, missing, type ServerProcess, startServer } from './server-process.ts'

const java = findProgram('java')
/** Folder with Kafka's jars (`org.apache.kafka:kafka_2.13` with its dependencies): no package of npm or Debian brings them. */
const jars = process.env.HOTSPAN_KAFKA_LIBS

/** Why no Kafka can be started here, or undefined. */
export const kafkaMissing = (): string | undefined =>
  missing(
    'kafka',
    java !== undefined && jars !== undefined && hasKafka(jars) ? java : undefined,
    'Kafka is not here (HOTSPAN_KAFKA_LIBS: a folder with the jars of org.apache.kafka:kafka_2.13 and Java 17)',
  )

const hasKafka = (folder: string): boolean =>
  existsSync(folder) && readdirSync(folder).some((name) => /^kafka_2\.\d+-.*\.jar$/.test(name))

/** One broker that is its own controller, in a temporary folder, on free ports of the loopback interface. */
export async function startKafka(): Promise<ServerProcess> {
  if (java === undefined || jars === undefined) throw new Error('Kafka is not here')
  const folder = mkdtempSync(join(tmpdir(), 'hotspan-kafka-'))
  const [port, controller] = [await freePort(), await freePort()]
  const config = join(folder, 'server.properties')
  writeFileSync(
    config,
    [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@127.0.0.1:${controller}`,
      `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
      'controller.listener.names=CONTROLLER',
      'offsets.topic.replication.factor=1',
      'offsets.topic.num.partitions=1',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      'group.initial.rebalance.delay.ms=0',
      `log.dirs=${join(folder, 'data')}`,
    ].join('\n'),
  )
  const classPath = join(jars, '*')
  execFileSync(
    java,
    ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', config],
    { stdio: 'ignore' },
  )
  const server = await startServer(java, ['-Xmx256m', '-cp', classPath, 'kafka.Kafka', config], port)
  return {
    port,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
