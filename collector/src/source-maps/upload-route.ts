import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { CollectorError, messageOf } from '../errors.ts'
import type { Route } from '../page/routes.ts'
import type { Store } from '../store.ts'
import {
  checkFunctions,
  checkMap,
  isBelow,
  isBuildIds,
  maxFileBytes,
  parsedJson,
  refuse,
} from './check-maps.ts'
import { storeFile } from './store-source-maps.ts'

export const uploadPath = '/api/v1/source-maps'

/** Maps are text that gzip makes a fifth of; what is larger than this compressed is no bundle. */
const maxBodyBytes = 32 << 20

const unpack = promisify(gunzip)

/** One built file of a build, as `hotspan sourcemaps upload --url` sends it: gzip of this as JSON. */
export interface UploadedFile {
  readonly buildIds: readonly string[]
  readonly file: string
  /** JSON texts. */
  readonly functions: string
  readonly map: string
  /** Refused when the collector's is another. */
  readonly project?: string
}

async function readUpload(body: Buffer): Promise<UploadedFile> {
  let text: string
  try {
    // Both texts, escaped as strings of a JSON text.
    text = (await unpack(body, { maxOutputLength: 3 * maxFileBytes })).toString('utf8')
  } catch (cause) {
    throw refuse(`the body is no gzip of at most ${3 * maxFileBytes} bytes: ${messageOf(cause)}`, cause)
  }
  const { buildIds, file, functions, map, project } = (parsedJson('the body', text) ?? {}) as Record<
    string,
    unknown
  >
  if (!isBuildIds(buildIds)) throw refuse('buildIds is no list of ids of 32 hex digits')
  if (!isBelow(file)) throw refuse('file is no path below the folder of the build')
  if (typeof functions !== 'string' || typeof map !== 'string' || map.length > maxFileBytes)
    throw refuse(`functions and map of ${file} are not JSON texts of at most ${maxFileBytes} bytes`)
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
          throw refuse(`this collector keeps project ${store.project}, not ${project}`)
        await storeFile(store, buildIds, file)
        return { body: { schemaVersion: 1, project: store.project, buildIds, file: file.file } }
      } catch (error) {
        if (!(error instanceof CollectorError)) throw error
        return { status: 400, body: { error: { code: error.code, message: error.message } } }
      }
    },
  }
}
