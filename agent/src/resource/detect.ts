import { fs } from '../node-modules.ts'
import type { ResourceAttributes, Surroundings } from './attributes.ts'
import { askEc2, askEcs, detectAws } from './aws.ts'
import { detectContainer } from './container.ts'
import { askGoogleCloud, detectGoogleCloud } from './google-cloud.ts'
import { detectHost } from './host.ts'
import { detectKubernetes } from './kubernetes.ts'
import { detectOs, detectProcess } from './process.ts'

/** Synchronous, without a network call; later ones win. */
const detectors: Readonly<Record<string, (around: Surroundings) => ResourceAttributes>> = {
  process: detectProcess,
  os: detectOs,
  host: detectHost,
  container: detectContainer,
  k8s: detectKubernetes,
  aws: detectAws,
  gcp: detectGoogleCloud,
}

/** Calls over the network, by the detector that asks for them: none but ECS is made unless its name is given. */
const questions: Readonly<Record<string, (around: Surroundings) => Promise<ResourceAttributes>>> = {
  aws: askEcs,
  ec2: askEc2,
  gce: askGoogleCloud,
}

/** Without a network call, unless the process runs in ECS, which says so itself. */
const DEFAULT = ['env', 'serviceinstance', ...Object.keys(detectors)]
const KNOWN = new Set([...DEFAULT, ...Object.keys(questions)])

export const thisMachine: Surroundings = {
  env: process.env,
  readFile(path) {
    try {
      return fs.readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
}

/** Names of `OTEL_NODE_RESOURCE_DETECTORS`: `all` (default; never `ec2` and `gce`), `none`, or a list. */
export function detectorNames(text: string | undefined, complaints: string[]): ReadonlySet<string> {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.length === 0) return new Set(DEFAULT)
  if (names.includes('none')) return new Set()
  const chosen = new Set<string>()
  for (const name of names) {
    if (name === 'all') for (const each of DEFAULT) chosen.add(each)
    else if (KNOWN.has(name)) chosen.add(name)
    else {
      complaints.push(
        `OTEL_NODE_RESOURCE_DETECTORS has '${name}'; expected all, none or some of ${[...KNOWN].join(', ')}; it is left out`,
      )
    }
  }
  return chosen
}

/** What can be told at once. A detector that fails tells nothing. */
export function detectResource(names: ReadonlySet<string>, around: Surroundings): ResourceAttributes {
  const attributes: ResourceAttributes = {}
  for (const [name, detect] of Object.entries(detectors)) {
    if (!names.has(name)) continue
    try {
      Object.assign(attributes, detect(around))
    } catch {
      // Less is known; the app runs.
    }
  }
  return attributes
}

/** What metadata services tell; resolves within seconds, with what came, and never rejects. Empty when none is to be asked. */
export async function askForResource(
  names: ReadonlySet<string>,
  around: Surroundings,
): Promise<ResourceAttributes> {
  const chosen = Object.entries(questions).filter(([name]) => names.has(name))
  const answers = await Promise.allSettled(chosen.map(([, ask]) => ask(around)))
  return Object.assign({}, ...answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : {})))
}
