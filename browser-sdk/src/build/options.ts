/** Options of the build plugins. */
export interface HotspanBuildOptions {
  /**
   * Folder for the source maps, relative to the project; what `hotspan sourcemaps upload` gets. It must not be served.
   * Default `hotspan-sourcemaps`.
   */
  readonly mapsDir?: string
}

export const DEFAULT_MAPS_DIR = 'hotspan-sourcemaps'
