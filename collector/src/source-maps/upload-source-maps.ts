import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { badSourceMaps, messageOf } from '../errors.ts'
import type { BuildFolder } from './build-folder.ts'
import { eachFile, type StoredBuild } from './each-file.ts'
import { type UploadedFile, uploadPath } from './uploaded-file.ts'

const pack = promisify(gzip)

/** Longer than a slow line needs for one file. */
const patienceMs = 120_000

export interface UploadTarget {
  /** Address of the collector's page listener, `http://collector.example:4319`. */
  readonly url: string
  /** Token of the page; a collector on the same machine asks for none. */
  readonly token?: string
  /** Refused when the collector keeps another. */
  readonly project?: string
}

/**
 * Sends the maps of one build to a collector.
 *
 * @throws CollectorError HS_SOURCE_MAPS when it does not answer or refuses, with its words.
 */
export const uploadSourceMaps = (target: UploadTarget, build: BuildFolder): Promise<StoredBuild> =>
  eachFile(build, async (file) => {
    const { project } = target
    const upload: UploadedFile = {
      buildIds: build.buildIds,
      ...file,
      ...(project !== undefined && { project }),
    }
    await post(target, await pack(JSON.stringify(upload)))
  })

async function post({ url, token }: UploadTarget, body: Uint8Array): Promise<void> {
  const at = new URL(uploadPath, url)
  let response: Response
  let text: string
  try {
    response = await fetch(at, {
      method: 'POST',
      headers: {
        'content-type': 'application/gzip',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: new Uint8Array(body),
      signal: AbortSignal.timeout(patienceMs),
    })
    text = await response.text()
  } catch (cause) {
    const why =
      cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause)
    throw badSourceMaps(
      `no collector answers at ${at.origin}: ${why}. The address is that of its page, port 4319 unless set otherwise.`,
      cause,
    )
  }
  if (response.ok) return
  if (response.status === 401)
    throw badSourceMaps(
      `${at.origin} asks for a token. Give the one in owner.json of its data directory as HOTSPAN_PAGE_TOKEN.`,
    )
  throw badSourceMaps(`${at.origin} answered ${response.status}: ${messageIn(text)}`)
}

const messageIn = (text: string): string => {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } }
    if (error?.message !== undefined) return error.message
  } catch {}
  return `${text.slice(0, 200)} (is it the page of a collector?)`
}
