import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { deploy, otel } from './deploy-collector.ts'

interface Named {
  readonly name: string
}
interface Container extends Named {
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly (Named & {
    readonly value?: string
    readonly valueFrom?: { readonly secretKeyRef: Named & { readonly key: string } }
  })[]
  readonly envFrom?: readonly { readonly configMapRef: Named }[]
  readonly ports?: readonly (Named & { readonly containerPort: number })[]
  readonly resources?: Record<'requests' | 'limits', { readonly cpu?: string; readonly memory?: string }>
  readonly securityContext?: {
    readonly allowPrivilegeEscalation?: boolean
    readonly readOnlyRootFilesystem?: boolean
    readonly capabilities?: { readonly drop: readonly string[] }
  }
  readonly volumeMounts?: readonly (Named & { readonly mountPath: string; readonly subPath?: string })[]
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly port: string | number } } | undefined
}
interface Pod {
  readonly containers: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly securityContext?: { readonly runAsNonRoot?: boolean; readonly runAsUser?: number }
  readonly volumes?: readonly (Named & {
    readonly configMap?: Named
    readonly secret?: { readonly secretName: string }
    readonly emptyDir?: object
  })[]
}
interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Named & { readonly namespace?: string }
  readonly data?: Record<string, string>
  readonly spec: {
    readonly replicas?: number
    readonly selector?: { readonly matchLabels: Record<string, string> }
    readonly serviceName?: string
    readonly scaleTargetRef?: Named & { readonly kind: string }
    readonly ports?: readonly (Named & { readonly port: number })[]
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> }
      readonly spec: Pod
    }
    readonly volumeClaimTemplates?: readonly { readonly metadata: Named }[]
  }
}

const noKubectl =
  spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0 ? null : 'no kubectl here'

const render = (folder: string): KubernetesObject[] =>
  parseAllDocuments(
    execFileSync('kubectl', ['kustomize', join(deploy, folder)], { encoding: 'utf8', maxBuffer: 1 << 24 }),
  ).map((document) => {
    expect(document.errors).toEqual([])
    return document.toJS() as KubernetesObject
  })

/** Versions in which the API serves these kinds. */
const apiVersions: Record<string, string> = {
  Namespace: 'v1',
  ConfigMap: 'v1',
  Service: 'v1',
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  HorizontalPodAutoscaler: 'autoscaling/v2',
  PodDisruptionBudget: 'policy/v1',
}
const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const quantity = /^\d+(m|Mi|Gi)?$/

test('kustomizations name what lies in their own folder, and other folders only as bases', () => {
  for (const folder of readdirSync(deploy)) {
    const file = join(deploy, folder, 'kustomization.yaml')
    if (!existsSync(file)) continue
    const { resources = [], configMapGenerator = [] } = parse(readFileSync(file, 'utf8')) as {
      resources?: string[]
      configMapGenerator?: { files?: string[] }[]
    }
    for (const path of configMapGenerator.flatMap(({ files = [] }) => files)) {
      // kustomize refuses a file above its own kustomization.
      expect(normalize(path).startsWith('..'), path).toBe(false)
      expect(existsSync(join(deploy, folder, path)), path).toBe(true)
    }
    for (const path of resources) {
      const at = join(deploy, folder, path)
      expect(existsSync(path.startsWith('..') ? join(at, 'kustomization.yaml') : at), path).toBe(true)
    }
  }
})

describe.skipIf(noKubectl !== null)(
  `rendered by kubectl kustomize${noKubectl === null ? '' : ` (skipped: ${noKubectl})`}`,
  () => {
    // The secrets that a person makes, and their keys.
    const secrets: Record<string, readonly string[]> = { clickhouse: ['user', 'password', 'cluster-secret'] }
    const cases: [string, readonly string[]][] = [
      ['kubernetes', Object.keys(secrets)],
      ['kubernetes-secured', [...Object.keys(secrets), 'gateway-tls', 'gateway-tokens']],
    ]

    test.each(cases)('%s: kinds, names and references', (folder, given) => {
      const objects = render(folder)
      const of = (kind: string) => objects.filter((object) => object.kind === kind)
      const names = (kind: string) => of(kind).map(({ metadata }) => metadata.name)
      const workloads = [...of('Deployment'), ...of('StatefulSet')]
      expect(names('StatefulSet').sort()).toEqual(['clickhouse', 'sampler'])
      expect(names('Deployment')).toEqual(['gateway'])
      for (const { kind, apiVersion, metadata } of objects) {
        expect(apiVersion, kind).toBe(apiVersions[kind])
        expect(metadata.name).toMatch(dnsLabel)
        if (kind !== 'Namespace') expect(metadata.namespace, metadata.name).toBe('hotspan')
      }
      expect(new Set(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).size).toBe(
        objects.length,
      )

      const used = new Set<string>()
      for (const { kind, metadata, spec } of workloads) {
        const pod = spec.template.spec
        for (const [label, value] of Object.entries(spec.selector!.matchLabels))
          expect(spec.template.metadata.labels[label]).toBe(value)
        if (kind === 'StatefulSet') expect(names('Service')).toContain(spec.serviceName)
        const files = new Map<string, readonly string[]>()
        for (const { name, configMap, secret } of pod.volumes ?? []) {
          if (secret !== undefined) expect(given).toContain(secret.secretName)
          if (configMap === undefined) files.set(name, [])
          else {
            used.add(configMap.name)
            const map = of('ConfigMap').find((object) => object.metadata.name === configMap.name)
            files.set(name, Object.keys(map?.data ?? {}))
          }
        }
        for (const claim of spec.volumeClaimTemplates ?? []) files.set(claim.metadata.name, [])
        for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
          const where = `${metadata.name}/${container.name}`
          expect(container.image, where).toMatch(/:v?\d+\.\d+/)
          for (const mount of container.volumeMounts ?? []) {
            expect([...files.keys()], where).toContain(mount.name)
            if (mount.subPath !== undefined) expect(files.get(mount.name), where).toContain(mount.subPath)
          }
          const config = container.volumeMounts?.find(({ mountPath }) => mountPath === '/etc/otel')
          for (const arg of container.args ?? []) {
            if (arg.startsWith('/etc/otel/'))
              expect(files.get(config!.name), where).toContain(arg.slice('/etc/otel/'.length))
          }
          const variables = (container.env ?? []).map(({ name }) => name)
          expect(new Set(variables).size, where).toBe(variables.length)
          for (const { value = '', valueFrom } of container.env ?? []) {
            if (valueFrom !== undefined)
              expect(secrets[valueFrom.secretKeyRef.name], where).toContain(valueFrom.secretKeyRef.key)
            for (const [, name] of value.matchAll(/\$\((\w+)\)/g)) expect(variables, where).toContain(name)
            const [, host] = /:\/\/(?:[^@]*@)?([a-z-]+):\d+/.exec(value) ?? []
            if (host !== undefined) expect(names('Service'), where).toContain(host)
          }
          for (const { configMapRef } of container.envFrom ?? []) {
            used.add(configMapRef.name)
            expect(names('ConfigMap'), where).toContain(configMapRef.name)
          }
        }
      }
      expect([...used].sort()).toEqual(names('ConfigMap').sort())

      const labels = workloads.map(({ spec }) => spec.template)
      for (const { metadata, spec } of of('Service')) {
        const selector = (spec.selector ?? {}) as unknown as Record<string, string>
        const [behind] = labels.filter((template) =>
          Object.entries(selector).every(([name, value]) => template.metadata.labels[name] === value),
        )
        const ports = behind?.spec.containers.flatMap((container) => container.ports ?? []) ?? []
        for (const { port } of spec.ports ?? [])
          expect(
            ports.map(({ containerPort }) => containerPort),
            metadata.name,
          ).toContain(port)
      }
      for (const { spec } of of('HorizontalPodAutoscaler'))
        expect(names(spec.scaleTargetRef!.kind)).toContain(spec.scaleTargetRef!.name)
      // Who waits for names of this cluster finds them: the gateways' list of samplers, the address of the rest.
      for (const [file, variable] of [
        ['resolver-kubernetes.yaml', 'SAMPLER_SERVICE'],
        ['gateway.yaml', 'SAMPLER_HTTP'],
      ] as const) {
        const text = readFileSync(otel(file), 'utf8')
        const [, name] = new RegExp(`${variable}:-(?:http://)?([a-z-]+)`).exec(text)!
        expect(names('Service')).toContain(name)
      }
    })

    test.each(cases)('%s: every container has probes, bounds and no rights', (folder) => {
      const objects = render(folder)
      const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget')
      for (const { kind, metadata, spec } of objects) {
        if (kind !== 'Deployment' && kind !== 'StatefulSet') continue
        expect(spec.replicas, metadata.name).toBeGreaterThan(1)
        expect(budgets.map((budget) => budget.spec.selector!.matchLabels)).toContainEqual(
          spec.selector!.matchLabels,
        )
        const pod = spec.template.spec
        expect(pod.securityContext, metadata.name).toMatchObject({ runAsNonRoot: true })
        expect(pod.securityContext!.runAsUser, metadata.name).toBeGreaterThan(0)
        for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
          const where = `${metadata.name}/${container.name}`
          for (const [cpu, memory] of (['requests', 'limits'] as const).map((bound) => [
            container.resources?.[bound]?.cpu,
            container.resources?.[bound]?.memory,
          ])) {
            expect(cpu, where).toMatch(quantity)
            expect(memory, where).toMatch(quantity)
          }
          expect(container.securityContext, where).toMatchObject({ allowPrivilegeEscalation: false })
          if (metadata.name !== 'clickhouse')
            expect(container.securityContext, where).toMatchObject({
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
            })
        }
        for (const container of pod.containers) {
          for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
            expect(
              container.ports!.map(({ name }) => name),
              `${probe} of ${container.name}`,
            ).toContain(container[probe]?.httpGet.port)
        }
      }
    })

    test('tables are made before a sampler of the roll-out writes, and what waits is in a volume', () => {
      const objects = render('kubernetes')
      expect(objects.map(({ kind }) => kind)).not.toContain('Job')
      const find = (name: string) =>
        objects.find(({ kind, metadata }) => /Set|Deployment/.test(kind) && metadata.name === name)!
      const sampler = find('sampler').spec
      expect(sampler.template.spec.initContainers!.map(({ args }) => args)).toEqual([['migrate']])
      for (const name of ['sampler', 'gateway']) {
        const { volumeMounts } = find(name).spec.template.spec.containers[0]!
        expect(volumeMounts).toContainEqual({ name: 'queue', mountPath: '/var/lib/otelcol' })
      }
      expect(sampler.volumeClaimTemplates!.map(({ metadata }) => metadata.name)).toEqual(['queue'])
    })

    test('kubernetes-secured: the gateways read both files', () => {
      const gateway = render('kubernetes-secured').find(({ kind }) => kind === 'Deployment')!
      expect(gateway.spec.template.spec.containers[0]!.args).toEqual(
        ['gateway', 'resolver-kubernetes', 'tls', 'tokens'].flatMap((name) => [
          '--config',
          `/etc/otel/${name}.yaml`,
        ]),
      )
    })
  },
)
