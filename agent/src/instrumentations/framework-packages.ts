import type { PackageTarget } from './module-hook.ts'

type Patch = PackageTarget['patch']
type Framework = Omit<PackageTarget, 'patch'> & { readonly load: () => Promise<Patch> }

/** Each file costs start-up time: only those of packages that the app has are loaded. */
const known: readonly Framework[] = [
  { name: 'express', load: async () => (await import('./express.ts')).instrumentExpress },
  { name: 'koa', load: async () => (await import('./koa.ts')).instrumentKoa },
  {
    name: 'hono',
    subpaths: ['hono/tiny', 'hono/quick'],
    esm: String.raw`dist/(?:hono|preset/(?:tiny|quick)|router/[a-z-]+/router)\.js`,
    load: async () => (await import('./hono.ts')).instrumentHono,
  },
  {
    name: 'amqplib',
    subpaths: ['amqplib/callback_api'],
    load: async () => (await import('./amqplib.ts')).instrumentAmqplib,
  },
  {
    name: 'bullmq',
    esm: String.raw`dist/esm/index\.js`,
    load: async () => (await import('./bullmq.ts')).instrumentBullmq,
  },
  { name: '@grpc/grpc-js', load: async () => (await import('./grpc.ts')).instrumentGrpc },
  { name: 'graphql', load: async () => (await import('./graphql.ts')).instrumentGraphql },
  {
    name: '@trpc/server',
    esm: String.raw`dist/index\.mjs`,
    load: async () => (await import('./trpc.ts')).instrumentTrpc,
  },
  { name: 'kafkajs', load: async () => (await import('./kafkajs.ts')).instrumentKafkajs },
  {
    name: 'openai',
    esm: String.raw`index\.mjs`,
    load: async () => (await import('./openai.ts')).instrumentOpenai,
  },
]

export const frameworkNames: readonly string[] = known.map(({ name }) => name)

/**
 * Web frameworks, RPC, queues and model clients, as far as they have been loaded: by the door `register` those that are
 * installed, by the other doors all. Each is switched off by its name.
 */
export const frameworkPackages: PackageTarget[] = []

/** Loads our side of the packages for which `isWanted` holds. */
export async function loadFrameworks(isWanted: (name: string) => boolean): Promise<void> {
  const wanted = known.filter(({ name }) => isWanted(name))
  const patches = await Promise.all(wanted.map(({ load }) => load()))
  for (const [i, { name }] of wanted.entries()) addFramework(name, patches[i]!)
}

/** What a door that cannot wait has loaded already. */
export function addFramework(name: string, patch: Patch): void {
  const framework = known.find((candidate) => candidate.name === name)
  if (framework === undefined || frameworkPackages.some((added) => added.name === name)) return
  const { load: _load, ...target } = framework
  frameworkPackages.push({ ...target, patch })
}
