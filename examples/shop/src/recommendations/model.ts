import { encodeModel, type Graph, type GraphNode, type Weights } from './onnx-writer.ts'

export const modelName = 'shop-recommender'

/** How many products one request scores: all that a department holds, about a quarter of the catalogue. */
export const candidateCount = 1_280

export interface ModelShape {
  readonly products: number
  readonly width: number
  readonly hidden: number
  readonly blocks: number
}

/**
 * 14.9 MB of weights in 200 residual blocks. On one core of 2026 loading it takes 100 ms (the optimiser fuses 1,400 nodes) and
 * scoring `candidateCount` products another 100 ms: ordinary figures for a ranking model.
 */
export const recommenderShape: ModelShape = { products: 5_000, width: 64, hidden: 128, blocks: 200 }

/** Numbers in (-1, 1) from a seed (mulberry32): the same weights on every machine. */
function seededNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1
  }
}

/**
 * A ranking model: products have an embedding; a customer is the mean of the products in `history`; each candidate starts as
 * its embedding times the customer's, passes the residual blocks (norm, widen, GELU, narrow) and ends as one score.
 */
export function recommenderGraph(shape: ModelShape, seed: number): Graph {
  const { products, width, hidden, blocks } = shape
  const next = seededNumbers(seed)
  const weights: Weights[] = []
  const nodes: GraphNode[] = []

  const add = (name: string, dims: readonly number[], scale: number, centre = 0): string => {
    const values = new Float32Array(dims.reduce((product, length) => product * length, 1))
    for (let i = 0; i < values.length; i += 1) values[i] = centre + scale * next()
    weights.push({ name, shape: dims, values })
    return name
  }
  const apply = (
    op: string,
    inputs: readonly string[],
    output: string,
    extra: Partial<GraphNode> = {},
  ): string => {
    nodes.push({ op, inputs, outputs: [output], ...extra })
    return output
  }

  const embedding = add('embedding', [products + 1, width], 1)
  const sqrt2 = add('sqrt2', [], 0, Math.SQRT2)
  const one = add('one', [], 0, 1)
  const half = add('half', [], 0, 0.5)

  const bought = apply('Gather', [embedding, 'history'], 'bought')
  const taste = apply('ReduceMean', [bought], 'taste', { integerLists: { axes: [0] } })

  let x = apply('Mul', [apply('Gather', [embedding, 'candidates'], 'offered'), taste], 'x.0')
  for (let block = 0; block < blocks; block += 1) {
    const at = (part: string) => `${part}.${block}`
    const norm = apply(
      'LayerNormalization',
      [x, add(at('scale'), [width], 0.1, 1), add(at('shift'), [width], 0.1)],
      at('norm'),
    )
    const wide = apply('MatMul', [norm, add(at('up'), [width, hidden], Math.sqrt(3 / width))], at('wide'))
    const biased = apply('Add', [wide, add(at('up.bias'), [hidden], 0.1)], at('biased'))
    // GELU spelt out, as frameworks export it; the runtime fuses it.
    const erf = apply('Erf', [apply('Div', [biased, sqrt2], at('scaled'))], at('erf'))
    const gate = apply('Mul', [biased, apply('Add', [erf, one], at('gate'))], at('gated'))
    const gelu = apply('Mul', [gate, half], at('gelu'))
    const narrow = apply(
      'MatMul',
      [gelu, add(at('down'), [hidden, width], Math.sqrt(3 / hidden))],
      at('narrow'),
    )
    const change = apply('Add', [narrow, add(at('down.bias'), [width], 0.1)], at('change'))
    x = apply('Add', [x, change], `x.${block + 1}`)
  }
  apply('MatMul', [x, add('head', [width, 1], Math.sqrt(3 / width))], 'scores')

  return {
    name: modelName,
    inputs: [
      { name: 'candidates', type: 'int64', shape: ['n'] },
      { name: 'history', type: 'int64', shape: ['m'] },
    ],
    outputs: [{ name: 'scores', type: 'float', shape: ['n', 1] }],
    nodes,
    weights,
  }
}

/** The bytes of the shop's model, the same for one seed. */
export const makeModel = (seed: number, shape: ModelShape = recommenderShape) =>
  encodeModel(recommenderGraph(shape, seed))
