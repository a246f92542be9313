import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { readSettings } from '../settings.ts'
import { attributesOf, startSink } from '../testing/sink.ts'
import { startApp } from '../testing/test-app.ts'
import { askForResource, detectorNames, detectResource } from './detect.ts'
import { resourceAttributes } from './resource.ts'

const ID = 'ab01'.repeat(16)
const POD = '0a1b2c3d-1111-2222-3333-444455556666'

const on = (names: string, env: Record<string, string>, files: Record<string, string> = {}) =>
  detectResource(detectorNames(names, []), { env, readFile: (path) => files[path] })

describe('container', () => {
  test.each([
    ['cgroup v1, Docker', `12:memory:/docker/${ID}\n1:name=systemd:/docker/${ID}`],
    ['cgroup v1, systemd', `12:memory:/system.slice/docker-${ID}.scope`],
    ['cgroup v1, Kubernetes', `4:cpu:/kubepods/burstable/pod${POD}/${ID}`],
    [
      'cgroup v2 in the host namespace',
      `0::/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`,
    ],
    ['CRI-O', `0::/kubepods.slice/crio-${ID}.scope`],
    ['containerd with a unit name', `0::/system.slice/containerd.service/kubepods:cri-containerd:${ID}`],
  ])('%s', (_case, cgroup) => {
    expect(on('container', {}, { '/proc/self/cgroup': cgroup })).toEqual({ 'container.id': ID })
  })

  test('Fargate', () => {
    const id = `${'c0'.repeat(16)}-1234567890`
    const files = { '/proc/self/cgroup': `9:perf_event:/ecs/${'c0'.repeat(16)}/${id}` }
    expect(on('container', {}, files)).toEqual({ 'container.id': id })
  })

  test.each([
    ['Docker', `/var/lib/docker/containers/${ID}/hostname`],
    ['Podman', `/var/lib/containers/storage/overlay-containers/${ID}/userdata/hostname`],
  ])('cgroup v2 in a namespace of its own, %s', (_case, source) => {
    const mounts = `700 690 259:1 ${source} /etc/hostname rw,relatime - ext4 /dev/root rw`
    expect(on('container', {}, { '/proc/self/cgroup': '0::/', '/proc/self/mountinfo': mounts })).toEqual({
      'container.id': ID,
    })
  })

  test("a pod's sandbox is not its container, a plain machine has none", () => {
    const mounts = `1 2 0:1 /var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/${ID}/hostname /etc/hostname rw`
    expect(on('container', {}, { '/proc/self/cgroup': '0::/', '/proc/self/mountinfo': mounts })).toEqual({})
    expect(on('container', {}, { '/proc/self/cgroup': '0::/user.slice/session-2.scope' })).toEqual({})
    expect(on('container', {})).toEqual({})
  })
})

describe('Kubernetes', () => {
  const env = { KUBERNETES_SERVICE_HOST: '10.0.0.1', HOSTNAME: 'shop-6c9-x2x' }

  test('downward API', () => {
    const told = on('k8s', {
      ...env,
      POD_NAME: 'shop-1',
      K8S_POD_UID: POD,
      POD_NAMESPACE: 'web',
      K8S_NODE_NAME: 'node-7',
      K8S_CONTAINER_NAME: 'api',
      K8S_CLUSTER_NAME: 'eu',
    })
    expect(told).toEqual({
      'k8s.pod.name': 'shop-1',
      'k8s.pod.uid': POD,
      'k8s.namespace.name': 'web',
      'k8s.node.name': 'node-7',
      'k8s.container.name': 'api',
      'k8s.cluster.name': 'eu',
    })
  })

  test('without it: host name, cgroup and the service account', () => {
    const told = on('k8s', env, {
      '/proc/self/cgroup': `0::/kubepods.slice/kubepods-burstable-pod${POD.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`,
      '/var/run/secrets/kubernetes.io/serviceaccount/namespace': 'default\n',
    })
    expect(told).toEqual({
      'k8s.pod.name': 'shop-6c9-x2x',
      'k8s.pod.uid': POD,
      'k8s.namespace.name': 'default',
    })
    const mounts = `1 2 0:1 /var/lib/kubelet/pods/${POD}/etc-hosts /etc/hosts rw`
    expect(on('k8s', env, { '/proc/self/mountinfo': mounts })).toMatchObject({ 'k8s.pod.uid': POD })
  })

  test("the node's host name is not the pod's; outside nothing is told", () => {
    expect(on('k8s', { ...env, NODE_NAME: env.HOSTNAME })).toEqual({ 'k8s.node.name': env.HOSTNAME })
    expect(on('k8s', { POD_NAME: 'x' })).toEqual({})
  })
})

describe('clouds by their variables', () => {
  test('Lambda', () => {
    const told = on('aws', {
      AWS_LAMBDA_FUNCTION_NAME: 'resize',
      AWS_LAMBDA_FUNCTION_VERSION: '7',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/resize',
      AWS_LAMBDA_LOG_STREAM_NAME: '2026/11/21/[7]abc',
      AWS_REGION: 'eu-west-1',
    })
    expect(told).toEqual({
      'cloud.provider': 'aws',
      'cloud.platform': 'aws_lambda',
      'cloud.region': 'eu-west-1',
      'faas.name': 'resize',
      'faas.version': '7',
      'faas.instance': '2026/11/21/[7]abc',
      'faas.max_memory': 536_870_912,
      'aws.log.group.names': '/aws/lambda/resize',
    })
  })

  test.each([
    [
      'Cloud Run',
      { K_SERVICE: 'api', K_REVISION: 'api-3', GOOGLE_CLOUD_PROJECT: 'p' },
      {
        'cloud.platform': 'gcp_cloud_run',
        'faas.name': 'api',
        'faas.version': 'api-3',
        'cloud.account.id': 'p',
      },
    ],
    [
      'a Cloud Run job',
      { CLOUD_RUN_JOB: 'nightly', CLOUD_RUN_EXECUTION: 'nightly-x', CLOUD_RUN_TASK_INDEX: '2' },
      {
        'cloud.platform': 'gcp_cloud_run',
        'faas.name': 'nightly',
        'gcp.cloud_run.job.execution': 'nightly-x',
        'gcp.cloud_run.job.task_index': 2,
      },
    ],
    [
      'a Cloud Function',
      { K_SERVICE: 'f', K_REVISION: '1', FUNCTION_TARGET: 'main' },
      { 'cloud.platform': 'gcp_cloud_functions', 'faas.name': 'f', 'faas.version': '1' },
    ],
    [
      'App Engine',
      { GAE_SERVICE: 'default', GAE_VERSION: 'v2', GAE_INSTANCE: 'i' },
      {
        'cloud.platform': 'gcp_app_engine',
        'faas.name': 'default',
        'faas.version': 'v2',
        'faas.instance': 'i',
      },
    ],
  ])('%s', (_case, env, expected) => {
    expect(on('gcp', env)).toEqual({ 'cloud.provider': 'gcp', ...expected })
  })

  test('ECS', () => {
    expect(on('aws', { ECS_CONTAINER_METADATA_URI_V4: 'http://x/v4/1', AWS_REGION: 'us-east-1' })).toEqual({
      'cloud.provider': 'aws',
      'cloud.platform': 'aws_ecs',
      'cloud.region': 'us-east-1',
    })
  })
})

let server: Server | undefined
afterEach(() => server?.close())

/** A metadata service with these answers by path; checks the headers that it must be asked with. */
async function metadataService(
  answers: Record<string, string>,
  required: Record<string, string> = {},
): Promise<string> {
  server = createServer((request, response) => {
    const answer = answers[`${request.method} ${request.url}`]
    const allowed = Object.entries(required).every(
      ([name, value]) => request.method === 'PUT' || request.headers[name] === value,
    )
    if (answer === undefined || !allowed) response.writeHead(answer === undefined ? 404 : 401).end()
    else response.end(answer)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server!.once('listening', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('metadata services', () => {
  const ask = (names: string, env: Record<string, string>) =>
    askForResource(detectorNames(names, []), { env, readFile: () => undefined })

  const task = 'arn:aws:ecs:us-west-2:111122223333:task/prod/158d1c8083dd49d6b527399fd6414f5c'
  const ecs = {
    'GET /v4/1': JSON.stringify({
      ContainerARN: 'arn:aws:ecs:us-west-2:111122223333:container/0206b271',
      DockerId: ID,
      DockerName: 'ecs-web-1',
    }),
    'GET /v4/1/task': JSON.stringify({
      Cluster: 'prod',
      TaskARN: task,
      Family: 'web',
      Revision: '26',
      LaunchType: 'FARGATE',
      AvailabilityZone: 'us-west-2d',
    }),
  }

  test('ECS, which names the address itself', async () => {
    const host = await metadataService(ecs)
    expect(await ask('aws', { ECS_CONTAINER_METADATA_URI_V4: `http://${host}/v4/1` })).toEqual({
      'cloud.region': 'us-west-2',
      'cloud.account.id': '111122223333',
      'cloud.availability_zone': 'us-west-2d',
      'cloud.resource_id': 'arn:aws:ecs:us-west-2:111122223333:container/0206b271',
      'container.id': ID,
      'container.name': 'ecs-web-1',
      'aws.ecs.container.arn': 'arn:aws:ecs:us-west-2:111122223333:container/0206b271',
      'aws.ecs.cluster.arn': 'arn:aws:ecs:us-west-2:111122223333:cluster/prod',
      'aws.ecs.launchtype': 'fargate',
      'aws.ecs.task.arn': task,
      'aws.ecs.task.id': '158d1c8083dd49d6b527399fd6414f5c',
      'aws.ecs.task.family': 'web',
      'aws.ecs.task.revision': '26',
    })
  })

  test('EC2 with its token, when asked for', async () => {
    const host = await metadataService(
      {
        'PUT /latest/api/token': 'secret-token',
        'GET /latest/dynamic/instance-identity/document': JSON.stringify({
          accountId: '1',
          region: 'eu-west-1',
          availabilityZone: 'eu-west-1b',
          instanceId: 'i-0123',
          instanceType: 'm7g.large',
          imageId: 'ami-9',
        }),
        'GET /latest/meta-data/hostname': 'ip-10-0-0-1.internal',
      },
      { 'x-aws-ec2-metadata-token': 'secret-token' },
    )
    const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://${host}` }
    expect(await ask('all', env)).toEqual({})
    expect(await ask('ec2', env)).toMatchObject({
      'cloud.platform': 'aws_ec2',
      'cloud.availability_zone': 'eu-west-1b',
      'host.id': 'i-0123',
      'host.type': 'm7g.large',
      'host.name': 'ip-10-0-0-1.internal',
    })
  })

  test('Google Cloud, when asked for: a machine, and a pod of GKE', async () => {
    const root = 'GET /computeMetadata/v1'
    const host = await metadataService(
      {
        [`${root}/project/project-id`]: 'shop-eu',
        [`${root}/instance/zone`]: 'projects/1/zones/europe-west1-b',
        [`${root}/instance/id`]: '42',
        [`${root}/instance/machine-type`]: 'projects/1/machineTypes/e2-small',
        [`${root}/instance/name`]: 'vm-1',
        [`${root}/instance/attributes/cluster-name`]: 'main',
        [`${root}/instance/attributes/cluster-location`]: 'europe-west1',
      },
      { 'metadata-flavor': 'Google' },
    )
    expect(await ask('all', { GCE_METADATA_HOST: host })).toEqual({})
    expect(await ask('gce', { GCE_METADATA_HOST: host })).toEqual({
      'cloud.provider': 'gcp',
      'cloud.account.id': 'shop-eu',
      'cloud.platform': 'gcp_compute_engine',
      'cloud.region': 'europe-west1',
      'cloud.availability_zone': 'europe-west1-b',
      'host.id': '42',
      'host.name': 'vm-1',
      'host.type': 'e2-small',
    })
    expect(await ask('gce', { GCE_METADATA_HOST: host, KUBERNETES_SERVICE_HOST: 'x' })).toEqual({
      'cloud.provider': 'gcp',
      'cloud.account.id': 'shop-eu',
      'cloud.platform': 'gcp_kubernetes_engine',
      'k8s.cluster.name': 'main',
      'cloud.region': 'europe-west1',
      'host.id': '42',
    })
  })

  test('a service that is not there, or answers garbage, tells nothing', async () => {
    expect(await ask('ec2', { AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' })).toEqual({})
    const host = await metadataService({ 'GET /v4/1': 'no json', 'GET /v4/1/task': '{' })
    expect(await ask('aws', { ECS_CONTAINER_METADATA_URI_V4: `http://${host}/v4/1` })).toEqual({})
  })

  test('an app in ECS starts at once and its next batches say where it runs', async () => {
    const host = await metadataService(ecs)
    const sink = await startSink()
    const app = await startApp('propagation-app.mjs', {
      OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
      ECS_CONTAINER_METADATA_URI_V4: `http://${host}/v4/1`,
      OTEL_RESOURCE_ATTRIBUTES: 'cloud.region=mine',
    })
    try {
      const taskOf = (): unknown => attributesOf(sink.spans.at(-1)!.resource)['aws.ecs.task.id']
      do await fetch(`${app.url}/headers`).then((answer) => answer.text())
      while ((await sink.until((spans) => spans.length > 0)) && taskOf() === undefined)
      expect(attributesOf(sink.spans.at(-1)!.resource)).toMatchObject({
        'service.name': 'test-app',
        'process.pid': app.child.pid,
        'host.arch': expect.any(String),
        'aws.ecs.task.family': 'web',
        'cloud.platform': 'aws_ecs',
        'cloud.region': 'mine',
      })
    } finally {
      await app.end('SIGKILL')
      await sink.close()
    }
  })
})

describe('the whole resource', () => {
  const around = { env: { K_SERVICE: 'api', K_REVISION: 'r1' }, readFile: () => undefined }

  test('variables win over what was detected; a function lends its name', () => {
    const settings = readSettings({}, { OTEL_RESOURCE_ATTRIBUTES: 'faas.version=mine,team=a' })
    expect(resourceAttributes(settings, around)).toMatchObject({
      'service.name': 'api',
      'faas.version': 'mine',
      team: 'a',
      'service.instance.id': expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ),
      'process.runtime.name': 'nodejs',
    })
    const named = readSettings({}, { OTEL_SERVICE_NAME: 'mine' })
    expect(resourceAttributes(named, around)['service.name']).toBe('mine')
  })

  test('OTEL_NODE_RESOURCE_DETECTORS chooses', () => {
    const settings = readSettings({}, { OTEL_NODE_RESOURCE_DETECTORS: 'host, gcp,azure' })
    const told = resourceAttributes(settings, around)
    expect(told).toMatchObject({ 'faas.name': 'api', 'host.name': expect.any(String) })
    expect(told).not.toHaveProperty('process.pid')
    expect(told).not.toHaveProperty('service.instance.id')
    expect(settings.complaints.join()).toContain("'azure'")
    const none = readSettings({}, { OTEL_NODE_RESOURCE_DETECTORS: 'none', OTEL_SERVICE_NAME: 's' })
    expect(Object.keys(resourceAttributes(none, around)).sort()).toEqual([
      'service.name',
      'telemetry.sdk.language',
      'telemetry.sdk.name',
      'telemetry.sdk.version',
    ])
  })
})

test('the first request of a Cloud Run instance is a cold start, the next is not, nor is one elsewhere', async () => {
  const sink = await startSink()
  const run = async (env: Record<string, string>) => {
    const app = await startApp('propagation-app.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: sink.url, ...env })
    for (let i = 0; i < 2; i++) await fetch(`${app.url}/headers`).then((answer) => answer.text())
    await app.end()
    const marks = sink.spans
      .filter(({ kind }) => kind === 2)
      .map((span) => attributesOf(span)['faas.coldstart'])
    sink.spans.length = 0
    return marks
  }
  try {
    expect(await run({ K_SERVICE: 'api', K_REVISION: 'r1' })).toEqual([true, undefined])
    expect(await run({})).toEqual([undefined, undefined])
  } finally {
    await sink.close()
  }
})
