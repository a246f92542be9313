import { attr } from '@hotspan/otlp'
import { known, type ResourceAttributes, type Surroundings } from './attributes.ts'

const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace'
/** A pod's uid in a cgroup's path (`pod` + uid, `_` for `-` under systemd) or in the kubelet's mounts. */
const POD_IN_CGROUP = /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12})/
const POD_IN_MOUNTS = /\/kubelet\/pods\/([0-9a-f-]{36})\//

/**
 * The pod, inside Kubernetes (`KUBERNETES_SERVICE_HOST`): variables of the downward API under the names in use for them, the
 * service account's namespace file, the uid in the cgroup's path. A pod's host name is its name unless it shares the node's.
 */
export function detectKubernetes({ env, readFile }: Surroundings): ResourceAttributes {
  if (!env.KUBERNETES_SERVICE_HOST) return {}
  const first = (...names: string[]): string | undefined =>
    names.map((name) => env[name]).find((value) => value !== undefined && value !== '')
  const node = first('K8S_NODE_NAME', 'NODE_NAME', 'OTEL_RESOURCE_ATTRIBUTES_NODE_NAME')
  const host = env.HOSTNAME !== node ? env.HOSTNAME : undefined
  const uid =
    POD_IN_CGROUP.exec(readFile('/proc/self/cgroup') ?? '')?.[1]?.replaceAll('_', '-') ??
    POD_IN_MOUNTS.exec(readFile('/proc/self/mountinfo') ?? '')?.[1]
  return known({
    [attr.k8sPodName]: first('K8S_POD_NAME', 'POD_NAME', 'OTEL_RESOURCE_ATTRIBUTES_POD_NAME') ?? host,
    [attr.k8sPodUid]: first('K8S_POD_UID', 'POD_UID', 'OTEL_RESOURCE_ATTRIBUTES_POD_UID') ?? uid,
    [attr.k8sNamespaceName]:
      first('K8S_NAMESPACE_NAME', 'K8S_NAMESPACE', 'POD_NAMESPACE') ?? readFile(NAMESPACE_FILE)?.trim(),
    [attr.k8sNodeName]: node,
    'k8s.container.name': first('K8S_CONTAINER_NAME', 'CONTAINER_NAME'),
    'k8s.deployment.name': first('K8S_DEPLOYMENT_NAME'),
    'k8s.cluster.name': first('K8S_CLUSTER_NAME'),
  })
}
