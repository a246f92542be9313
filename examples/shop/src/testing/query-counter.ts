import { connect, createServer, type Socket } from 'node:net'

export interface QueryCounter {
  /** Address of the database through the counter. */
  readonly url: string
  /** Texts of the statements sent since the last call of `take`, in order of arrival. */
  take(): string[]
  /** Connections that are open now. */
  connections(): number
  close(): Promise<void>
}

/** Reads the frontend messages of PostgreSQL's protocol out of one connection and reports the text of each statement. */
function statementReader(report: (statement: string) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0)
  let started = false
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 5) {
      // The first message has no type byte.
      const length = started ? rest.readUInt32BE(1) + 1 : rest.readUInt32BE(0)
      if (rest.length < length) return
      if (started) {
        const body = rest.subarray(5, length)
        const type = String.fromCharCode(rest[0] ?? 0)
        const text = body.toString().split('\0')
        // Parse: name, then text. Query: text.
        if (type === 'P') report(text[1] ?? '')
        if (type === 'Q') report(text[0] ?? '')
      }
      started = true
      rest = rest.subarray(length)
    }
  }
}

/** A hop in front of a database that counts what passes, by the protocol itself and not by what any agent says. */
export async function countQueries(databaseUrl: string): Promise<QueryCounter> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let clients = 0
  let statements: string[] = []
  const server = createServer((client) => {
    const remote = connect({ host: target.hostname, port: Number(target.port) })
    clients += 1
    for (const socket of [client, remote]) {
      socket.setNoDelay(true)
      sockets.add(socket)
      socket.on('error', () => {})
    }
    const read = statementReader((statement) => statements.push(statement.replace(/\s+/g, ' ').trim()))
    client.on('data', read)
    client.pipe(remote)
    remote.pipe(client)
    client.on('close', () => {
      clients -= 1
      remote.destroy()
    })
    remote.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = new URL(databaseUrl)
  url.port = String(address !== null && typeof address === 'object' ? address.port : 0)
  return {
    url: url.href,
    take: () => {
      const taken = statements
      statements = []
      return taken
    },
    connections: () => clients,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
