import { WireReader } from '@hotspan/otlp/wire'

/** Data points in an `ExportMetricsServiceRequest`, without decoding them. Throws `WireError`. */
export function countDataPoints(bytes: Uint8Array): number {
  const r = new WireReader(bytes)
  let points = 0
  // Tags on the way down: resource_metrics, scope_metrics, metrics, then one of five kinds, then data_points.
  const walk = (wanted: readonly (readonly number[])[], depth: number): void => {
    while (r.more()) {
      const tag = r.tag()
      if (!wanted[depth]!.includes(tag)) r.skip(tag)
      else if (depth === wanted.length - 1) {
        points += 1
        r.skip(tag)
      } else {
        const outer = r.enter()
        walk(wanted, depth + 1)
        r.leave(outer)
      }
    }
  }
  walk([[10], [18], [18], [42, 58, 74, 82, 90], [10]], 0)
  return points
}

/** The same for the parsed JSON form; what is not an array or an object counts as nothing. */
export function countDataPointsJson(json: unknown): number {
  let points = 0
  for (const resource of list(json, 'resourceMetrics')) {
    for (const scope of list(resource, 'scopeMetrics')) {
      for (const metric of list(scope, 'metrics')) {
        for (const kind of ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']) {
          points += list((metric as Record<string, unknown> | null)?.[kind], 'dataPoints').length
        }
      }
    }
  }
  return points
}

function list(from: unknown, key: string): readonly unknown[] {
  const value = typeof from === 'object' && from !== null ? (from as Record<string, unknown>)[key] : undefined
  return Array.isArray(value) ? value : []
}
