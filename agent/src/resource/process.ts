import { platform, release } from 'node:os'
import { threadId } from 'node:worker_threads'
import { attr } from '@hotspan/otlp'
import { known, type ResourceAttributes } from './attributes.ts'

/** This process. Command-line arguments are left out: they hold secrets. */
export const detectProcess = (): ResourceAttributes =>
  known({
    [attr.processPid]: process.pid,
    [attr.processCreationTime]: new Date(Date.now() - process.uptime() * 1000).toISOString(),
    [attr.processExecutableName]: process.title,
    'process.executable.path': process.execPath,
    [attr.processRuntimeName]: 'nodejs',
    [attr.processRuntimeVersion]: process.versions.node,
    [attr.processRuntimeDescription]: 'Node.js',
    [attr.threadId]: threadId === 0 ? undefined : threadId,
  })

export const detectOs = (): ResourceAttributes =>
  known({
    [attr.osType]: platform() === 'win32' ? 'windows' : platform(),
    [attr.osVersion]: release(),
  })
