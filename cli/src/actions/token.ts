import {
  createToken,
  limitProject,
  type ProjectLimits,
  readAccessFile,
  revokeToken,
  type TokenRecord,
} from '@hotspan/collector'
import { missingSetUp } from '../errors.ts'
import { note } from '../process/output.ts'
import { type StorePlace, storePlace } from '../process/store-options.ts'
import { renderJson } from '../render/json.ts'
import type { TokenFlags, tokenActions } from './token-flags.ts'

export const runToken = async (
  action: (typeof tokenActions)[number],
  id: string | undefined,
  flags: TokenFlags,
): Promise<void> => {
  const place = await storePlace(flags)
  if (action === 'create') return create(place, flags)
  if (action === 'list') return list(place, flags)
  if (action === 'revoke') return revoke(place, id)
  return limit(place, flags)
}

const create = (place: StorePlace, flags: TokenFlags): void => {
  const { token, record } = createToken(place.dataDir, {
    kind: flags.kind,
    project: place.project,
    label: flags.label ?? '',
    origins: flags.origin ?? [],
  })
  if (flags.format === 'json') {
    process.stdout.write(renderJson({ schemaVersion: 1, token, ...shown(record) }))
    return
  }
  process.stdout.write(`${token}\n`)
  note(
    `${record.kind} token ${record.id} of project ${record.project}. It is not shown again; only its hash is kept.`,
  )
}

const list = (place: StorePlace, flags: TokenFlags): void => {
  const { tokens, limits } = readAccessFile(place.dataDir)
  if (flags.format === 'json') {
    process.stdout.write(renderJson({ schemaVersion: 1, tokens: tokens.map(shown), limits }))
    return
  }
  if (tokens.length === 0) note('no tokens yet: hotspan token create')
  for (const { id, kind, project, createdAt, label, origins } of tokens) {
    const about = [label, ...origins].filter((part) => part !== '').join(' ')
    process.stdout.write(
      `${id}  ${kind.padEnd(7)}  ${project}  ${createdAt.slice(0, 10)}${about === '' ? '' : `  ${about}`}\n`,
    )
  }
  for (const [project, limit] of Object.entries(limits))
    process.stdout.write(`limit  ${project}  ${limitText(limit)}\n`)
}

const revoke = (place: StorePlace, id: string | undefined): void => {
  if (id === undefined) throw missingSetUp('token revoke needs the ID', 'See: hotspan token list')
  if (!revokeToken(place.dataDir, id)) {
    throw missingSetUp(`there is no token ${JSON.stringify(id)}`, 'See: hotspan token list')
  }
  note(`revoked ${id}; a running collector refuses it within a second`)
}

/** Sets or removes the limits that are named; the others stay. */
const limit = (place: StorePlace, flags: TokenFlags): void => {
  const { limits, hasToken } = limitProject(place.dataDir, place.project, {
    ...(flags.bytesPerSec === undefined ? {} : { bytesPerSec: flags.bytesPerSec }),
    ...(flags.bytesPerDay === undefined ? {} : { bytesPerDay: flags.bytesPerDay }),
    ...(flags.recordsPerDay === undefined ? {} : { recordsPerDay: flags.recordsPerDay }),
  })
  note(`project ${place.project}: ${limitText(limits)}`)
  if (!hasToken) {
    note(
      `there is no token of project ${place.project}: the limit holds for senders without a token, if it is the project of a collector on this machine; see hotspan token list`,
    )
  }
}

const limitText = ({ bytesPerSec, bytesPerDay, recordsPerDay }: ProjectLimits): string => {
  const parts = [
    bytesPerSec === undefined ? '' : `${bytesPerSec} bytes per second`,
    bytesPerDay === undefined ? '' : `${bytesPerDay} bytes per day`,
    recordsPerDay === undefined ? '' : `${recordsPerDay} records per day`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'no limits' : parts.join(', ')
}

const shown = ({ hash: _hash, ...rest }: TokenRecord) => rest
