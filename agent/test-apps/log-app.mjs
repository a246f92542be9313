// Writes records with pino and winston: inside a request, outside of one, from children, with errors and hidden fields.
import { createServer } from 'node:http'
import { stats } from '@hotspan/agent'
import pino from 'pino'
import { createLogger, format, transports } from 'winston'

const lines = []
const pinoLogger = pino(
  { redact: ['password'], mixin: () => ({ mixed: 1 }) },
  { write: (line) => lines.push(JSON.parse(line)) },
)
const winstonLogger = createLogger({
  level: 'http',
  format: format.combine(format((info) => ({ ...info, password: undefined }))(), format.json()),
  transports: [new transports.Console()],
})
winstonLogger.transports[0].log = (info, next) => {
  lines.push(JSON.parse(info[Symbol.for('message')]))
  next()
}

const server = createServer(async (request, response) => {
  lines.length = 0
  await new Promise((resolve) => setImmediate(resolve))
  switch (request.url) {
    case '/pino':
      pinoLogger.info(
        { items: 3, password: 'secret', ratio: 0.5, list: [1, 'a'], deep: { on: true } },
        'hello %s',
        'you',
      )
      pinoLogger.child({ tenant: 'acme' }).warn('child')
      pinoLogger.error(new TypeError('broken'))
      pinoLogger.info({ trace_id: 'mine' }, 'own field')
      pinoLogger.debug('not written')
      break
    case '/winston':
      winstonLogger.info('hello', { items: 3, password: 'secret' })
      winstonLogger.child({ tenant: 'acme' }).warn('child')
      winstonLogger.error('broken', { error: new TypeError('inside') })
      winstonLogger.debug('not written')
      winstonLogger.info(
        Object.freeze({ message: 'frozen', level: 'info', [Symbol.for('level')]: 'info' }).message,
      )
      break
    case '/many':
      for (let i = 0; i < 1000; i++) pinoLogger.info({ i }, 'many')
      break
  }
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ lines, stats: stats() }))
})
pinoLogger.info('outside')
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port, first: lines[0] })}\n`)
})
