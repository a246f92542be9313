import { createRequire } from 'node:module'

// An `import` reads all exports of the module, among them getters that load what nobody asked for: undici behind `node:http`
// (40 ms of CPU against 4), streams and promises behind `node:fs` (9 ms). Any absolute path will do to require Node's own
// modules; in a CommonJS bundle there is no `import.meta`.
const load = createRequire(process.execPath)

export const fs = load('node:fs') as typeof import('node:fs')

export const http = load('node:http') as typeof import('node:http')

/** Loaded when it is first wanted: it brings TLS with it. */
export const loadHttps = (): typeof import('node:https') => load('node:https') as typeof import('node:https')

export const loadZlib = (): typeof import('node:zlib') => load('node:zlib') as typeof import('node:zlib')
