import { arch, hostname } from 'node:os'
import { attr } from '@hotspan/otlp'
import { known, type ResourceAttributes, type Surroundings } from './attributes.ts'

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm: 'arm32',
  ppc: 'ppc32',
  ia32: 'x86',
}

/** Name, architecture and, on Linux, the machine id. */
export const detectHost = ({ readFile }: Surroundings): ResourceAttributes =>
  known({
    [attr.hostName]: hostname(),
    [attr.hostArch]: ARCHITECTURES[arch()] ?? arch(),
    [attr.hostId]: (readFile('/etc/machine-id') ?? readFile('/var/lib/dbus/machine-id'))?.trim(),
  })
