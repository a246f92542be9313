import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ModelShape, makeModel, recommenderGraph } from './model.ts'
import type { Graph } from './onnx-writer.ts'
import { loadModel, scoreCandidates } from './scorer.ts'

const small: ModelShape = { products: 20, width: 8, hidden: 16, blocks: 3 }
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

test('one seed gives one model, another seed another', () => {
  expect(sha256(makeModel(7, small))).toMatchInlineSnapshot(
    `"60acd82f0a44f401f62312711d70a00ff9221b6e4555c906f5374d31c52d582b"`,
  )
  expect(sha256(makeModel(8, small))).not.toBe(sha256(makeModel(7, small)))
})

test('the full model has a few megabytes of weights', () => {
  const bytes = makeModel(1).length
  expect(bytes).toBeGreaterThan(10_000_000)
  expect(bytes).toBeLessThan(20_000_000)
})

/** Error function (Abramowitz and Stegun 7.1.26, error below 1.5e-7). */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x))
  const series =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
  return Math.sign(x) * (1 - series * Math.exp(-x * x))
}

/** The same network in plain arithmetic, from the graph's weights. */
function scoreByHand(
  graph: Graph,
  shape: ModelShape,
  candidates: readonly number[],
  history: readonly number[],
): number[] {
  const weights = new Map(graph.weights.map(({ name, values }) => [name, Array.from(values as Float32Array)]))
  const of = (name: string): number[] => weights.get(name) ?? []
  const { width, hidden } = shape
  const embedding = (product: number) => of('embedding').slice(product * width, (product + 1) * width)
  const times = (x: readonly number[], matrix: readonly number[], columns: number): number[] =>
    Array.from({ length: columns }, (_, c) =>
      x.reduce((sum, value, r) => sum + value * matrix[r * columns + c]!, 0),
    )

  const taste = Array.from(
    { length: width },
    (_, i) => history.reduce((sum, product) => sum + embedding(product)[i]!, 0) / history.length,
  )
  return candidates.map((product) => {
    let x = embedding(product).map((value, i) => value * taste[i]!)
    for (let block = 0; block < shape.blocks; block += 1) {
      const mean = x.reduce((sum, value) => sum + value, 0) / width
      const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width
      const norm = x.map(
        (value, i) =>
          ((value - mean) / Math.sqrt(variance + 1e-5)) * of(`scale.${block}`)[i]! + of(`shift.${block}`)[i]!,
      )
      const wide = times(norm, of(`up.${block}`), hidden).map(
        (value, i) => value + of(`up.bias.${block}`)[i]!,
      )
      const gelu = wide.map((value) => 0.5 * value * (1 + erf(value / Math.SQRT2)))
      const narrow = times(gelu, of(`down.${block}`), width)
      x = x.map((value, i) => value + narrow[i]! + of(`down.bias.${block}`)[i]!)
    }
    return times(x, of('head'), 1)[0]!
  })
}

test('onnxruntime computes what the model says', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hotspan-shop-test-'))
  try {
    const path = join(folder, 'small.onnx')
    await writeFile(path, makeModel(7, small))
    const session = await loadModel(path)
    const candidates = [1, 5, 20, 3]
    const history = [2, 9, 14]
    const scores = await scoreCandidates(session, { candidates, history })
    const expected = scoreByHand(recommenderGraph(small, 7), small, candidates, history)
    expect(scores.length).toBe(candidates.length)
    scores.forEach((score, i) => {
      expect(score).toBeCloseTo(expected[i]!, 3)
    })
    await session.release()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
