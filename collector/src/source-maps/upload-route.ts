import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { badSourceMaps, CollectorError, messageOf } from '../errors.ts'
import type { Route } from '../page/routes.ts'
import type { Store } from '../store.ts'
import { checkFunctions, checkMap, isBelow, isBuildIds, maxFileBytes, parsedJson } from './check-maps.ts'
import { storeFile } from './store-source-maps.ts'
import { type UploadedFile, uploadPath } from './uploaded-file.ts'

/** Maps are text that gzip makes a fifth of; what is larger than this compressed is no bundle. */
const maxBodyBytes = 32 << 20

const unpack = promisify(gunzip)

const isTextOfFile = (value: unknown): value is string =>
  typeof value === 'string' && Buffer.byteLength(value) <= maxFileBytes

async function readUpload(body: Buffer): Promise<UploadedFile> {
  let text: string
  try {
    // Both texts, escaped as strings of a JSON text.
    text = (await unpack(body, { maxOutputLength: 3 * maxFileBytes })).toString('utf8')
  } catch (cause) {
    throw badSourceMaps(
      `the body is no gzip of at most ${3 * maxFileBytes} bytes: ${messageOf(cause)}`,
      cause,
    )
  }
  const { buildIds, file, functions, map, project } = (parsedJson('the body', text) ?? {}) as Record<
    string,
    unknown
  >
  if (!isBuildIds(buildIds)) throw badSourceMaps('buildIds is no list of ids of 32 hex digits')
  if (!isBelow(file)) throw badSourceMaps('file is no path below the folder of the build')
  if (!isTextOfFile(functions) || !isTextOfFile(map))
    throw badSourceMaps(`functions and map of ${file} are not JSON texts of at most ${maxFileBytes} bytes`)
  checkFunctions(`functions of ${file}`, functions)
  checkMap(`map of ${file}`, map)
  return { buildIds, file, functions, map, ...(typeof project === 'string' && { project }) }
}

/** Takes source maps from machines that do not share the store's disk, as CI does. */
export function uploadRoute(store: Store): Route {
  return {
    method: 'POST',
    path: uploadPath,
    maxBodyBytes,
    handle: async ({ body }) => {
      try {
        const { buildIds, project = store.project, ...file } = await readUpload(body)
        if (project !== store.project)
          throw badSourceMaps(`this collector keeps project ${store.project}, not ${project}`)
        await storeFile(store, buildIds, file)
        return { body: { schemaVersion: 1, project: store.project, buildIds, file: file.file } }
      } catch (error) {
        if (!(error instanceof CollectorError)) throw error
        return { status: 400, body: { error: { code: error.code, message: error.message } } }
      }
    },
  }
}
