import { attr } from '@hotspan/otlp'
import { known, type ResourceAttributes, type Surroundings } from './attributes.ts'
import { askMetadata } from './metadata.ts'

/** Lambda and ECS, as far as the environment tells. */
export function detectAws({ env }: Surroundings): ResourceAttributes {
  if (env.AWS_LAMBDA_FUNCTION_NAME) {
    const memoryMiB = Number(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE || Number.NaN)
    return known({
      [attr.cloudProvider]: 'aws',
      [attr.cloudPlatform]: 'aws_lambda',
      [attr.cloudRegion]: env.AWS_REGION,
      [attr.faasName]: env.AWS_LAMBDA_FUNCTION_NAME,
      [attr.faasVersion]: env.AWS_LAMBDA_FUNCTION_VERSION,
      [attr.faasInstance]: env.AWS_LAMBDA_LOG_STREAM_NAME,
      [attr.faasMaxMemory]: memoryMiB * 1024 * 1024,
      'aws.log.group.names': env.AWS_LAMBDA_LOG_GROUP_NAME,
    })
  }
  if (env.ECS_CONTAINER_METADATA_URI_V4 || env.ECS_CONTAINER_METADATA_URI) {
    return known({
      [attr.cloudProvider]: 'aws',
      [attr.cloudPlatform]: 'aws_ecs',
      [attr.cloudRegion]: env.AWS_REGION,
    })
  }
  return {}
}

interface EcsContainer {
  readonly ContainerARN?: string
  readonly DockerId?: string
  readonly DockerName?: string
}

interface EcsTask {
  readonly Cluster?: string
  readonly TaskARN?: string
  readonly Family?: string
  readonly Revision?: string
  readonly LaunchType?: string
  readonly AvailabilityZone?: string
}

/** What the ECS agent answers under `ECS_CONTAINER_METADATA_URI_V4`; it is set in ECS tasks only. */
export async function askEcs({ env }: Surroundings): Promise<ResourceAttributes> {
  const base = env.ECS_CONTAINER_METADATA_URI_V4
  if (!base) return {}
  const [container, task] = await Promise.all([
    askMetadata(base).then((text) => JSON.parse(text) as EcsContainer),
    askMetadata(`${base}/task`).then((text) => JSON.parse(text) as EcsTask),
  ])
  const arn = task.TaskARN ?? ''
  const [, , , region, account] = arn.split(':')
  const cluster = task.Cluster ?? ''
  return known({
    [attr.cloudRegion]: region,
    [attr.cloudAccountId]: account,
    [attr.cloudAvailabilityZone]: task.AvailabilityZone,
    [attr.cloudResourceId]: container.ContainerARN,
    [attr.containerId]: container.DockerId,
    'container.name': container.DockerName,
    'aws.ecs.container.arn': container.ContainerARN,
    'aws.ecs.cluster.arn':
      cluster === '' || cluster.startsWith('arn:')
        ? cluster
        : arn.replace(/:task\/.*$/, `:cluster/${cluster}`),
    'aws.ecs.launchtype': task.LaunchType?.toLowerCase(),
    'aws.ecs.task.arn': arn,
    'aws.ecs.task.id': arn.split('/').at(-1),
    'aws.ecs.task.family': task.Family,
    'aws.ecs.task.revision': task.Revision,
  })
}

const EC2_METADATA = 'http://169.254.169.254'

/** The instance's own document by IMDSv2; `AWS_EC2_METADATA_SERVICE_ENDPOINT` as in Amazon's SDKs. */
export async function askEc2({ env }: Surroundings): Promise<ResourceAttributes> {
  const base = (env.AWS_EC2_METADATA_SERVICE_ENDPOINT || EC2_METADATA).replace(/\/+$/, '')
  const token = await askMetadata(`${base}/latest/api/token`, {
    method: 'PUT',
    headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
  })
  const headers = { 'x-aws-ec2-metadata-token': token }
  const [text, host] = await Promise.all([
    askMetadata(`${base}/latest/dynamic/instance-identity/document`, { headers }),
    askMetadata(`${base}/latest/meta-data/hostname`, { headers }),
  ])
  const instance = JSON.parse(text) as Record<string, string | undefined>
  return known({
    [attr.cloudProvider]: 'aws',
    [attr.cloudPlatform]: 'aws_ec2',
    [attr.cloudAccountId]: instance.accountId,
    [attr.cloudRegion]: instance.region,
    [attr.cloudAvailabilityZone]: instance.availabilityZone,
    [attr.hostId]: instance.instanceId,
    'host.type': instance.instanceType,
    'host.image.id': instance.imageId,
    [attr.hostName]: host,
  })
}
