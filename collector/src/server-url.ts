import { CollectorError } from './errors.ts'

/** HOTSPAN_CLICKHOUSE_URL, undefined when it is not set. Throws `HS_CLICKHOUSE_URL` when nothing can be reached by it. */
export function serverUrl(): string | undefined {
  const text = process.env.HOTSPAN_CLICKHOUSE_URL
  if (!text) return undefined
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return text
  // What stands between scheme and host may be a password.
  const shown = text.replace(/^(\w+:\/\/)?.*@/, '$1***@')
  throw new CollectorError(
    'HS_CLICKHOUSE_URL',
    `HOTSPAN_CLICKHOUSE_URL is ${JSON.stringify(shown)}; expected the HTTP address of a ClickHouse server, such as http://user:password@host:8123`,
  )
}
