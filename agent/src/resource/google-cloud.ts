import { attr } from '@hotspan/otlp'
import { known, type ResourceAttributes, type Surroundings } from './attributes.ts'
import { askMetadata } from './metadata.ts'

/** Cloud Run services and jobs, Cloud Functions and App Engine, as far as the environment tells. */
export function detectGoogleCloud({ env }: Surroundings): ResourceAttributes {
  const account = env.GOOGLE_CLOUD_PROJECT || env.GCLOUD_PROJECT || env.GCP_PROJECT
  if (env.CLOUD_RUN_JOB) {
    return known({
      [attr.cloudProvider]: 'gcp',
      [attr.cloudPlatform]: 'gcp_cloud_run',
      [attr.cloudAccountId]: account,
      [attr.faasName]: env.CLOUD_RUN_JOB,
      'gcp.cloud_run.job.execution': env.CLOUD_RUN_EXECUTION,
      'gcp.cloud_run.job.task_index':
        env.CLOUD_RUN_TASK_INDEX === undefined ? undefined : Number(env.CLOUD_RUN_TASK_INDEX),
    })
  }
  if (env.K_SERVICE && env.K_REVISION) {
    return known({
      [attr.cloudProvider]: 'gcp',
      [attr.cloudPlatform]: env.FUNCTION_TARGET ? 'gcp_cloud_functions' : 'gcp_cloud_run',
      [attr.cloudAccountId]: account,
      [attr.faasName]: env.K_SERVICE,
      [attr.faasVersion]: env.K_REVISION,
    })
  }
  if (env.GAE_SERVICE) {
    return known({
      [attr.cloudProvider]: 'gcp',
      [attr.cloudPlatform]: 'gcp_app_engine',
      [attr.cloudAccountId]: account,
      [attr.faasName]: env.GAE_SERVICE,
      [attr.faasVersion]: env.GAE_VERSION,
      [attr.faasInstance]: env.GAE_INSTANCE,
    })
  }
  return {}
}

/**
 * The metadata server's view of a Compute Engine machine, a GKE pod or a Cloud Run instance; `GCE_METADATA_HOST` as in
 * Google's own libraries. GKE is told from other Kubernetes by the cluster's name, which no variable holds.
 */
export async function askGoogleCloud({ env }: Surroundings): Promise<ResourceAttributes> {
  const base = `http://${env.GCE_METADATA_HOST || 'metadata.google.internal'}/computeMetadata/v1`
  const ask = (path: string): Promise<string | undefined> =>
    askMetadata(`${base}/${path}`, { headers: { 'metadata-flavor': 'Google' } }).catch(() => undefined)
  const [account, zonePath, id, type, name, cluster, location] = await Promise.all([
    ask('project/project-id'),
    ask('instance/zone'),
    ask('instance/id'),
    ask('instance/machine-type'),
    ask('instance/name'),
    ask('instance/attributes/cluster-name'),
    ask('instance/attributes/cluster-location'),
  ])
  if (account === undefined) return {}
  const zone = zonePath?.split('/').at(-1)
  const region = zone?.replace(/-[a-z0-9]$/, '')
  const common = { [attr.cloudProvider]: 'gcp', [attr.cloudAccountId]: account }
  if (env.K_SERVICE || env.CLOUD_RUN_JOB || env.GAE_SERVICE) {
    return known({ ...common, [attr.cloudRegion]: region, [attr.faasInstance]: id })
  }
  if (env.KUBERNETES_SERVICE_HOST && cluster !== undefined) {
    // A zonal cluster's location is a zone (`europe-west1-b`), a regional one's a region (`europe-west1`).
    const zonal = location !== undefined && location.split('-').length === 3
    return known({
      ...common,
      [attr.cloudPlatform]: 'gcp_kubernetes_engine',
      'k8s.cluster.name': cluster,
      [attr.cloudAvailabilityZone]: zonal ? location : undefined,
      [attr.cloudRegion]: zonal ? undefined : location,
      [attr.hostId]: id,
    })
  }
  return known({
    ...common,
    [attr.cloudPlatform]: 'gcp_compute_engine',
    [attr.cloudRegion]: region,
    [attr.cloudAvailabilityZone]: zone,
    [attr.hostId]: id,
    [attr.hostName]: name,
    'host.type': type?.split('/').at(-1),
  })
}
