import { attr } from '@hotspan/otlp'
import { known, type ResourceAttributes, type Surroundings } from './attributes.ts'

/** Docker, containerd, CRI-O and Podman name a container by 64 hex digits; Fargate by its task and a number. */
const ID = /(?:^|[/:-])([0-9a-f]{64}|[0-9a-f]{32}-\d{6,})(?:\.scope)?\/?$/
/** Where Docker and Podman mount a container's own `hostname` file from. A pod's sandbox has another id: not matched. */
const HOSTNAME_MOUNT = /\/(?:containers|overlay-containers)\/([0-9a-f]{64})\/(?:userdata\/)?hostname\b/

/**
 * `container.id`: from the cgroup's path where the container sees it (cgroup v1, or v2 in the host's namespace), else from
 * the mounts (cgroup v2 with a namespace of its own, where the path is `/`).
 */
export const detectContainer = ({ readFile }: Surroundings): ResourceAttributes =>
  known({
    [attr.containerId]:
      idInCgroup(readFile('/proc/self/cgroup') ?? '') ??
      HOSTNAME_MOUNT.exec(readFile('/proc/self/mountinfo') ?? '')?.[1],
  })

function idInCgroup(cgroup: string): string | undefined {
  for (const line of cgroup.split('\n')) {
    const found = ID.exec(line.trim())
    if (found !== null) return found[1]
  }
  return undefined
}
