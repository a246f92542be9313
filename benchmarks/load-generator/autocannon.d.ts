/** The part of autocannon 9 that is used here; the package has no types of its own. */
declare module 'autocannon' {
  interface Options {
    readonly url: string
    readonly connections: number
    readonly overallRate: number
    readonly duration: number
    readonly ignoreCoordinatedOmission: boolean
  }
  interface Result {
    /** ms. */
    readonly latency: { readonly p50: number; readonly average: number; readonly totalCount: number }
  }
  export default function autocannon(options: Options): Promise<Result>
}
