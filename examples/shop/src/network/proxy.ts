/** The process of the network between API and database. `SHOP_PROXY_TARGET` is host:port. */
import { becomeChild } from '../processes/become-child.ts'
import { databaseDistanceMs, startDelayProxy } from './delay-proxy.ts'

const [host = '127.0.0.1', port] = (process.env.SHOP_PROXY_TARGET ?? '').split(':')
let close = async () => {}
const child = becomeChild(() => close())
const proxy = await startDelayProxy({ host, port: Number(port) }, databaseDistanceMs)
close = proxy.close
child.ready({ port: proxy.port })
