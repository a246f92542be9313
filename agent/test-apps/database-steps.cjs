// What the database test apps do with each driver: every step is a trace of its own, named after it.
const { trace } = require('@opentelemetry/api')

const tracer = trace.getTracer('steps')

/** Runs `work` in a span; what it throws is expected. */
const step = (name, work) =>
  tracer.startActiveSpan(name, async (span) => {
    try {
      await work(span)
    } catch (error) {
      span.setAttribute('caught', error.message)
    } finally {
      span.end()
    }
  })

/** Tells whether a callback runs in the context of its step's span, also when that is not sampled. */
function tellActive(span) {
  const active = trace.getActiveSpan()?.spanContext().spanId === span.spanContext().spanId
  span.setAttribute('active', active)
  process.stdout.write(`${JSON.stringify({ active })}\n`)
}

exports.ioredis = async (Redis, { host, port }) => {
  const client = new Redis({ host, port })
  await client.flushall()
  await client.set('product:1', 'outside of any trace')
  await step('set and get', async function setAndGet() {
    await client.set('product:3', 'secret')
    await client.get('product:3')
  })
  await step('callback', (span) => {
    return new Promise((resolve) => {
      client.get('product:3', () => {
        tellActive(span)
        resolve()
      })
    })
  })
  await step('pipeline', () =>
    client.pipeline().set('user:bob', 'secret').get('user:bob').get('product:3').exec(),
  )
  await step('transaction', () => client.multi().incr('visits').incr('visits').exec())
  await step('error', () => client.lpush('product:3', 'secret'))
  await step('unknown command', () => client.call('NOSUCH', 'secret'))
  await step('many', () => Promise.all([3, 3, 4].map((id) => client.get(`product:${id}`))))
  const collecting = new Redis({ host, port, enableAutoPipelining: true })
  await collecting.ping()
  await Promise.all(
    ['a', 'b'].map((name) =>
      step(`collected ${name}`, async function collected() {
        await collecting.get(`${name}:1`)
      }),
    ),
  )
  collecting.disconnect()
  await step('connect', async () => {
    const other = new Redis({ host, port, lazyConnect: true, db: 1 })
    await other.connect()
    await other.get('product:3')
    other.disconnect()
  })
  client.disconnect()
}

exports.redis = async ({ createClient }, { host, port }) => {
  const client = createClient({ socket: { host, port } })
  await client.connect()
  await client.flushAll()
  await step('set and get', async function setAndGet() {
    await client.set('product:3', 'secret')
    await client.get('product:3')
  })
  await step('raw', () => client.sendCommand(['GET', 'product:3']))
  await step('transaction', () => client.multi().incr('visits').get('product:3').exec())
  await step('pipeline', () => client.multi().get('product:3').get('user:bob').execAsPipeline())
  await step('error in transaction', () => client.multi().set('a', 'b').lPush('a', 'secret').exec())
  await step('error', () => client.lPush('product:3', 'secret'))
  await step('many', () => Promise.all([3, 3, 4].map((id) => client.get(`product:${id}`))))
  await step('connect', async () => {
    const other = createClient({ url: `redis://${host}:${port}/1` })
    await other.connect()
    await other.get('product:3')
    other.destroy()
  })
  client.destroy()
}

/** `mysql2` and `mysql2/promise`. */
exports.mysql2 = async ([mysql, promises], { host, port }) => {
  const options = { host, port, user: 'root', database: 'shop' }
  const first = await promises.createConnection({ host, port, user: 'root' })
  await first.query('CREATE DATABASE IF NOT EXISTS shop')
  await first.query('CREATE OR REPLACE TABLE shop.items (id INT PRIMARY KEY, name VARCHAR(80))')
  await first.query("INSERT INTO shop.items SELECT seq, CONCAT('item ', seq) FROM shop.seq_1_to_37")
  await first.end()

  const pool = promises.createPool({ ...options, connectionLimit: 2 })
  await Promise.all([pool.query('SELECT 1'), pool.query('SELECT 1')])
  await step('pool query', async function loadItem() {
    await pool.query('SELECT id, name FROM items WHERE id = ?', [3])
  })
  await step('pool execute', async function executeItem() {
    await pool.execute('SELECT id, name FROM items WHERE id > ?', [30])
  })
  await step('literals', () =>
    pool.query('SELECT `name` FROM `items` WHERE name = "secret" AND id = 3 # secret'),
  )
  await step('error', () => pool.query('SELECT nothing FROM missing_table'))
  await step('duplicate', () => pool.query('INSERT INTO items VALUES (?, ?)', [3, 'secret']))
  await step('many', () =>
    Promise.all([3, 3, 4, 5, 6, 7].map((id) => pool.query('SELECT name FROM items WHERE id = ?', [id]))),
  )
  await step('transaction', async () => {
    const connection = await pool.getConnection()
    await connection.beginTransaction()
    await connection.query('UPDATE items SET name = ? WHERE id = ?', ['secret', 3])
    await connection.rollback()
    connection.release()
  })
  await pool.end()

  const alone = await promises.createConnection(options)
  await step('prepared', async () => {
    const statement = await alone.prepare('SELECT name FROM items WHERE id < ?')
    await statement.execute([4])
    await statement.close()
  })
  await alone.end()

  const plain = mysql.createPool(options)
  await new Promise((resolve) => plain.query('SELECT 1', resolve))
  await step('callback', (span) => {
    return new Promise((resolve) => {
      plain.query({ sql: 'SELECT name FROM items WHERE id < ?', values: [4] }, () => {
        tellActive(span)
        resolve()
      })
    })
  })
  await step('events', () => {
    return new Promise((resolve) => {
      plain.query('SELECT id FROM items').on('end', resolve)
    })
  })
  await step('handled error event', () => {
    return new Promise((resolve) => {
      plain.query('SELECT id FROM missing_table').on('error', resolve)
    })
  })
  await step('concurrent', async () => {
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) =>
        step(`concurrent ${name}`, () => plain.promise().query('SELECT SLEEP(0.01), id FROM items LIMIT 1')),
      ),
    )
  })
  await new Promise((resolve) => plain.end(resolve))
}

exports.mongodb = async ({ MongoClient }, { host, port }) => {
  const client = new MongoClient(`mongodb://${host}:${port}/`, { maxPoolSize: 4 })
  await client.connect()
  const books = client.db('shop').collection('books')
  await books.drop().catch(() => {})
  await step('insert many', () =>
    books.insertMany([3, 4, 5].map((id) => ({ _id: id, title: 'secret', author: { name: 'secret' } }))),
  )
  await step('find one', async function findBook() {
    await books.findOne({ _id: 3, title: { $ne: 'secret' } })
  })
  await step('find', async function findBooks() {
    await books.find({ _id: { $in: [3, 4, 5] } }).toArray()
  })
  await step('update', () => books.updateOne({ _id: 3 }, { $set: { title: 'secret' } }))
  await step('aggregate', () => books.aggregate([{ $match: { _id: 3 } }, { $count: 'n' }]).toArray())
  await step('delete', () => books.deleteOne({ _id: 5 }))
  await step('duplicate', () => books.insertOne({ _id: 3, title: 'secret' }))
  await step('error', () => client.db('shop').command({ noSuchCommand: 'secret' }))
  await step('many', () => Promise.all([3, 3, 4].map((_id) => books.findOne({ _id }))))
  await client.close()
}
