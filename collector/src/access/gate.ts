import { statSync } from 'node:fs'
import { messageOf } from '../errors.ts'
import { IntakeFailure } from '../receiver/intake-failure.ts'
import {
  accessFilePath,
  hashOfToken,
  isOurForm,
  type ProjectLimits,
  readAccessFile,
  type TokenKind,
} from './token-file.ts'

/** Who sends or asks: a project, and what its token allows. `local`: a process of this machine without a token. */
export interface Sender {
  readonly project: string
  readonly kind: TokenKind | 'local'
  /** Origins whose pages may send, of a browser key; empty else. */
  readonly origins: readonly string[]
}

export interface GateOptions {
  readonly dataDir: string
  /** Project of those who show no token. */
  readonly project: string
  /** Everybody has to show a token: the collector listens to more than this machine. */
  readonly required: boolean
  readonly onEvent: (event: string) => void
}

const lookEveryMs = 500

/**
 * Tells who a token belongs to. The file of tokens is looked at again when it changed, so that a new token works and a revoked
 * one stops within a second. While the file cannot be read nobody with a token is let in.
 */
export class Gate {
  readonly required: boolean
  private readonly options: GateOptions
  private byHash = new Map<string, Sender>()
  private limits: Readonly<Record<string, ProjectLimits>> = {}
  private lookedMs = 0
  private version = ''

  constructor(options: GateOptions) {
    this.options = options
    this.required = options.required
    this.look(Date.now())
  }

  /** Whose token it is, if it may send. Throws `IntakeFailure` as `identify`, and 403 for a token that only reads. */
  admit(token: string | null): Sender {
    const sender = this.identify(token)
    if (sender.kind !== 'read') return sender
    throw new IntakeFailure(
      403,
      'forbidden',
      'this is a read token; sending needs a write token or a browser key',
    )
  }

  /**
   * Whose token it is. Throws `IntakeFailure` 401 without a known token where one is needed. A wrong token of our form is
   * refused also where none is needed, because its owner means another project; what is meant for another receiver (senders
   * carry one address and many headers) is passed over there.
   */
  identify(token: string | null): Sender {
    this.look(Date.now())
    if (token === null || (!this.required && !isOurForm(token))) {
      if (!this.required) return { project: this.options.project, kind: 'local', origins: [] }
      throw new IntakeFailure(
        401,
        'no-token',
        'a token is needed: send it as "Authorization: Bearer <token>"; hotspan token create makes one',
      )
    }
    const sender = this.byHash.get(hashOfToken(token))
    if (sender === undefined) {
      throw new IntakeFailure(401, 'no-token', 'this token is not known here; it may have been revoked')
    }
    return sender
  }

  /**
   * The browser key in an address, null without any. Throws `IntakeFailure` 401 for one that is not known, and for other tokens, so that none of those
   * ends up in URLs and logs.
   */
  browserKey(key: string | null): string | null {
    if (key === null) return null
    this.look(Date.now())
    const sender = this.byHash.get(hashOfToken(key))
    if (sender === undefined) {
      throw new IntakeFailure(
        401,
        'no-token',
        `the browser key ${JSON.stringify(key.slice(0, 12))}... in the address is not known here; it may have been revoked: hotspan token list`,
      )
    }
    if (sender.kind !== 'browser') {
      throw new IntakeFailure(
        401,
        'no-token',
        'only browser keys may stand in the address; send it in a header',
      )
    }
    return key
  }

  /** Whether pages of this origin may send with any key: a preflight names none. */
  isBrowserOrigin(origin: string): boolean {
    this.look(Date.now())
    for (const { origins } of this.byHash.values()) if (fits(origin, origins)) return true
    return false
  }

  limitsOf(project: string): ProjectLimits {
    return this.limits[project] ?? {}
  }

  private look(nowMs: number): void {
    if (nowMs - this.lookedMs < lookEveryMs) return
    this.lookedMs = nowMs
    const { dataDir, onEvent } = this.options
    const version = versionOf(accessFilePath(dataDir))
    if (version === this.version) return
    try {
      const file = readAccessFile(dataDir)
      this.byHash = new Map(
        file.tokens.map(({ hash, project, kind, origins }) => [hash, { project, kind, origins }]),
      )
      this.limits = file.limits
    } catch (error) {
      this.byHash = new Map()
      onEvent(messageOf(error))
    }
    this.version = version
  }
}

export function fits(origin: string, origins: readonly string[]): boolean {
  return origins.includes('*') || origins.includes(origin)
}

function versionOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return `${mtimeMs}:${size}:${ino}`
  } catch {
    return ''
  }
}
