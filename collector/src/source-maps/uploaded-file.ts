/** Where a collector takes source maps, on its private page. */
export const uploadPath = '/api/v1/source-maps'

/** One built file of a build, as `hotspan sourcemaps upload --url` sends it: gzip of this as JSON. */
export interface UploadedFile {
  readonly buildIds: readonly string[]
  readonly file: string
  /** JSON texts. */
  readonly functions: string
  readonly map: string
  /** Refused when the collector's is another. */
  readonly project?: string
}
