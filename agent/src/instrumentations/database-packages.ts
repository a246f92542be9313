import { databaseOptions } from './database-span.ts'
import { DRIZZLE_ESM, instrumentDrizzle } from './drizzle.ts'
import { instrumentIoredis } from './ioredis.ts'
import type { PackageTarget } from './module-hook.ts'
import { instrumentMongodb } from './mongodb.ts'
import { instrumentMysql2 } from './mysql2.ts'
import { instrumentPg } from './pg.ts'
import { instrumentPgPool } from './pg-pool.ts'
import { instrumentRedis } from './redis.ts'

/** By the name under which they are switched off. */
const drivers: Record<string, readonly PackageTarget[]> = {
  pg: [
    { name: 'pg', patch: instrumentPg },
    { name: 'pg-pool', patch: instrumentPgPool },
  ],
  ioredis: [{ name: 'ioredis', patch: instrumentIoredis }],
  redis: [
    { name: 'redis', patch: instrumentRedis },
    { name: '@redis/client', patch: instrumentRedis },
  ],
  mysql2: [{ name: 'mysql2', subpaths: ['mysql2/promise', 'mysql2/promise.js'], patch: instrumentMysql2 }],
  mongodb: [{ name: 'mongodb', patch: instrumentMongodb }],
}

/** The doors by which CommonJS code reaches Drizzle: all of them load what has to be wrapped. */
const drizzleDoors = ['node-postgres', 'postgres-js', 'mysql2', 'pg-core', 'mysql-core', 'sqlite-core']

/** Only for call sites: its statements are the drivers' spans. */
const drizzle: PackageTarget = {
  name: 'drizzle-orm',
  subpaths: drizzleDoors.map((door) => `drizzle-orm/${door}`),
  esm: DRIZZLE_ESM,
  patch: instrumentDrizzle,
}

/** Database drivers and ORMs, those named in `without` left out. */
export function databasePackages(without?: ReadonlySet<string>): PackageTarget[] {
  const found = Object.entries(drivers).flatMap(([name, targets]) => (without?.has(name) ? [] : targets))
  if (databaseOptions.callSites && !without?.has(drizzle.name)) found.push(drizzle)
  return found
}
