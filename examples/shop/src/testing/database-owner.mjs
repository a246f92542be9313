// Starts a database, says where it is, and waits to be killed.
import { startDatabase } from '@hotspan/example-shop'

const { folder, pid } = await startDatabase()
process.stdout.write(`${JSON.stringify({ folder, pid })}\n`)
setInterval(() => {}, 60_000)
