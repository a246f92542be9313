import { http } from '../node-modules.ts'

/** A metadata service is a hop away: one that has not answered within this time is not there, ms. */
const PATIENCE_MS = 2000
const MAX_ANSWER_BYTES = 64 * 1024

/** Text of an answer with status 200. Rejects on any other, and after two seconds; keeps no process alive. */
export function askMetadata(
  url: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = http.request(url, { ...options, agent: false, timeout: PATIENCE_MS }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
        if (text.length > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'))
      })
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text.trim())
        else reject(new Error(`status ${response.statusCode} from ${url}`))
      })
    })
    const timer = setTimeout(() => call.destroy(new Error(`no answer from ${url}`)), PATIENCE_MS)
    timer.unref()
    call.on('close', () => clearTimeout(timer))
    call.on('socket', (socket) => socket.unref())
    call.on('error', reject)
    call.end()
  })
}
