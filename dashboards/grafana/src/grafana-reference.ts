/** Reference to a dashboard variable in Grafana's own syntax, `${name}` or `${name:format}`: not a TypeScript template. */
export function reference(name: string, format?: 'singlequote'): string {
  return `\${${format === undefined ? name : `${name}:${format}`}}`
}
