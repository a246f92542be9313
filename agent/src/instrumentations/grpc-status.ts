import { attr, rpcCodeNames } from '@hotspan/otlp'
import { type AgentSpan, Status } from '../core/span.ts'
import { splitHost } from './http-attributes.ts'

export const GRPC_OK = 0
export const GRPC_CANCELLED = 1
export const GRPC_UNKNOWN = 2

/** What is the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS (RPC conventions). */
const SERVER_FAULTS = new Set([2, 4, 12, 13, 14, 15])

/** `rpc.response.status_code`; for a client every code but OK is an error. */
export function noteStatus(span: AgentSpan, code: unknown, details: unknown, isServer: boolean): void {
  const number = typeof code === 'number' ? code : GRPC_UNKNOWN
  const name = rpcCodeNames[number] ?? String(number)
  span.setAttribute(attr.rpcResponseStatusCode, name)
  if (number === GRPC_OK || (isServer && !SERVER_FAULTS.has(number))) return
  span.setAttribute(attr.errorType, name)
  span.setStatus({ code: Status.Error, message: typeof details === 'string' ? details : '' })
}

/** Server of a target: `dns:///host:port`, `ipv4:1.2.3.4:5`, `host:port`; a socket's path has no port. */
export function noteServer(span: AgentSpan, target: unknown): void {
  if (typeof target !== 'string' || target === '') return
  if (target.startsWith('unix:')) {
    span.setAttribute(attr.serverAddress, target.slice(5).replace(/^\/\/(?=\/)/, ''))
    return
  }
  const host = target.replace(/^[a-z][a-z0-9+.-]*:(?:\/\/[^/]*\/)?(?!\d+$)/i, '')
  const { address, port } = splitHost(host, 0)
  span.setAttribute(attr.serverAddress, address)
  if (port > 0) span.setAttribute(attr.serverPort, port)
}

/** The connection's other end, `ip:port`. */
export function notePeer(span: AgentSpan, peer: unknown): void {
  const match = typeof peer === 'string' ? /^\[?(.+?)\]?:(\d+)$/.exec(peer) : null
  if (match === null) return
  span.setAttribute(attr.networkPeerAddress, match[1]!)
  span.setAttribute(attr.networkPeerPort, Number(match[2]))
}
