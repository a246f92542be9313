import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { provisioning } from '@hotspan/dashboards'
import { badValue, missingSetUp } from '../errors.ts'
import { note } from '../process/output.ts'
import { shownPath } from '../process/shown-path.ts'
import { type StoreFlags, storePlace } from '../process/store-options.ts'
import { renderJson } from '../render/json.ts'

export interface DashboardsFlags extends StoreFlags {
  readonly out: string
  readonly clickhouseUrl?: URL
  readonly user?: string
  readonly dashboardsPath?: string
  readonly service: string[]
  readonly p95?: number
  readonly errorRatio?: number
  readonly format: 'text' | 'json'
}

export const runDashboards = async (flags: DashboardsFlags): Promise<void> => {
  const place = await storePlace(flags)
  const url = flags.clickhouseUrl
  if (url !== undefined && url.password !== '') {
    throw badValue(
      '--clickhouse-url',
      `${url.protocol}//***@${url.host}`,
      'an address without a password; Grafana reads it from HOTSPAN_CLICKHOUSE_PASSWORD',
    )
  }
  const user = flags.user ?? (url === undefined || url.username === '' ? undefined : url.username)
  const files = provisioning({
    database: `hotspan_${place.project}`,
    ...(url === undefined ? {} : { clickHouseUrl: url.href }),
    ...(user === undefined ? {} : { user }),
    ...(flags.dashboardsPath === undefined ? {} : { dashboardsPath: flags.dashboardsPath }),
    alerts: flags.service.map((service) => ({
      service,
      ...(flags.p95 === undefined ? {} : { p95Ms: flags.p95 }),
      ...(flags.errorRatio === undefined ? {} : { errorRatio: flags.errorRatio }),
    })),
  })
  const directory = resolve(flags.out)
  const written: string[] = []
  for (const [name, content] of Object.entries(files)) {
    const file = join(directory, name)
    try {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
    } catch (error) {
      throw missingSetUp(
        `--out ${flags.out} cannot be written: ${(error as Error).message}`,
        'Name a directory you may write to',
      )
    }
    written.push(relative(directory, file))
  }
  if (flags.format === 'json') {
    process.stdout.write(renderJson({ schemaVersion: 1, directory, files: written }))
    return
  }
  for (const name of written) process.stdout.write(`${join(shownPath(directory), name)}\n`)
  note(
    `Copy ${shownPath(join(directory, 'provisioning'))} into Grafana's provisioning directory and dashboards/ into`,
  )
  note(
    `${flags.dashboardsPath ?? '/var/lib/grafana/dashboards'}; the data source needs the plugin grafana-clickhouse-datasource.`,
  )
  if (flags.service.length === 0) note('No alert rules: name services with --service NAME.')
}
