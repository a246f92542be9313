/** What every benchmark exports and gives back: `benchmarks/<name>/bench.ts` has `export const bench: Bench`. */
export interface Bench {
  readonly name: string
  /** One line: what is compared with what. */
  readonly question: string
  /** Folders of ours whose built `dist` it measures. */
  readonly packages: readonly string[]
  readonly figures: readonly FigureDefinition[]
  run(options: BenchOptions): Promise<BenchResult>
}

export interface FigureDefinition {
  readonly id: string
  /** `ratio` for shares and comparisons (ours / peer), else `ms`, `By`, `us` ... */
  readonly unit: string
  /** `<=0.2`, `>=1`, `1..1.03`; empty for a figure that only informs. */
  readonly target: string
}

export interface BenchOptions {
  /** No bound of 25 minutes. */
  readonly full: boolean
  /** Asked for on the command line; each bench has a default of its own. */
  readonly rounds: number | undefined
  /** Progress for people, on stderr. */
  progress(line: string): void
  readonly signal: AbortSignal
}

export interface Figure extends FigureDefinition {
  readonly value: number
  /** 95 % interval of the median over the rounds, or their range when there are fewer than six. */
  readonly low: number
  readonly high: number
}

export interface BenchResult {
  readonly rounds: number
  readonly figures: readonly Figure[]
  /** Configuration of the peers, of the machine, and what a reader must know. */
  readonly notes: readonly string[]
}
