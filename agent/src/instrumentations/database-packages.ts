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

/** Database drivers, those named in `without` left out. */
export const databasePackages = (without?: ReadonlySet<string>): PackageTarget[] =>
  Object.entries(drivers).flatMap(([name, targets]) => (without?.has(name) ? [] : targets))
