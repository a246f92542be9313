/**
 * Commands whose first argument is a key. Only of these is anything but the name reported, or a hash of the arguments: a command
 * that is not here may carry a password (`AUTH`) or a script.
 */
const KEY_FIRST = new Set(
  (
    'append bf.add bf.exists bf.madd bf.mexists bitcount bitfield bitfield_ro bitpos blmove blpop brpop brpoplpush bzpopmax ' +
    'bzpopmin copy decr decrby del dump exists expire expireat expiretime geoadd geodist geohash geopos georadius geosearch ' +
    'geosearchstore get getbit getdel getex getrange getset hdel hexists hexpire hget hgetall hgetdel hgetex hincrby ' +
    'hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetex hsetnx hstrlen httl hvals incr incrby incrbyfloat ' +
    'json.arrappend json.arrlen json.del json.get json.mget json.numincrby json.set json.strlen json.type lindex linsert llen ' +
    'lmove lpop lpos lpush lpushx lrange lrem lset ltrim mget mset msetnx persist pexpire pexpireat pexpiretime pfadd pfcount ' +
    'pfmerge psetex pttl publish rename renamenx restore rpop rpoplpush rpush rpushx sadd scard sdiff sdiffstore set setbit ' +
    'setex setnx setrange sinter sinterstore sismember smembers smismember smove sort sort_ro spop spublish srandmember srem ' +
    'sscan strlen substr subscribe sunion sunionstore touch ts.add ts.get ts.incrby ts.range ttl type unlink unsubscribe watch ' +
    'xack xadd xautoclaim xclaim xdel xlen xpending xrange xrevrange xtrim zadd zcard zcount zdiffstore zincrby zinterstore ' +
    'zlexcount zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex ' +
    'zremrangebyrank zremrangebyscore zrevrange zrevrangebyscore zrevrank zscan zscore zunionstore'
  ).split(' '),
)

export const beginsWithKey = (name: string): boolean =>
  KEY_FIRST.has(name) || KEY_FIRST.has(name.toLowerCase())

/** Names of commands, bounded by what a server knows; a client may be made to send anything. */
const MAX_NAME = 64
const MAX_KEY = 256

/**
 * `get product:?`: the command, the shape of its first key, and `?` when there is more. No value, no id, and one text for all
 * calls of the same code.
 */
export function describeCommand(name: string, args: readonly unknown[], firstArg: number): string {
  const shown = name.length > MAX_NAME ? name.slice(0, MAX_NAME) : name
  const count = args.length - firstArg
  if (count <= 0) return shown
  if (!beginsWithKey(name)) return `${shown} ?`
  const key = args[firstArg]
  const shape = typeof key === 'string' ? keyShape(key) : key instanceof Uint8Array ? bufferShape(key) : '?'
  return count > 1 ? `${shown} ${shape} ?` : `${shown} ${shape}`
}

const bufferShape = (key: Uint8Array): string =>
  keyShape(Buffer.from(key.buffer, key.byteOffset, Math.min(key.byteLength, MAX_KEY)).toString('latin1'))

const isDelimiter = (unit: number): boolean => unit === 58 || unit === 47 || unit === 124
const isNameUnit = (unit: number): boolean =>
  (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90) || unit === 95 || unit === 45

/**
 * Parts between `:`, `/` or `|` that are words stay, the others become `?`; so does the last of several, which is the id even
 * when it is a word: `shop:product:3` and `user:bob` give `shop:product:?` and `user:?`.
 */
export function keyShape(key: string): string {
  const end = Math.min(key.length, MAX_KEY)
  let shape = ''
  let from = 0
  let isWord = true
  for (let at = 0; at <= end; at++) {
    const unit = at < end ? key.charCodeAt(at) : 58
    if (!isDelimiter(unit)) {
      if (!isNameUnit(unit)) isWord = false
      continue
    }
    const isLast = at === end
    const kept = isWord && at > from && at - from <= 32 && !(isLast && from > 0)
    shape += kept ? key.slice(from, at) : '?'
    if (!isLast) shape += key[at]!
    from = at + 1
    isWord = true
  }
  return shape
}
