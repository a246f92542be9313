/** What the provisioning files hold. */
export type YamlValue =
  | string
  | number
  | boolean
  | null
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue | undefined }

/**
 * YAML of plain records, as far as Grafana's provisioning files need it: block style, strings quoted as in JSON, which YAML
 * reads the same way. `undefined` members are left out.
 */
export function toYaml(value: YamlValue, indent = ''): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return `${indent}[]\n`
    return value.map((item: YamlValue) => `${indent}- ${toYaml(item, `${indent}  `).trimStart()}`).join('')
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined) as [
      string,
      YamlValue,
    ][]
    if (members.length === 0) return `${indent}{}\n`
    return members.map(([key, member]) => `${indent}${yamlKey(key)}:${yamlMember(member, indent)}`).join('')
  }
  return `${indent}${JSON.stringify(value)}\n`
}

function yamlKey(key: string): string {
  return /^[A-Za-z_][\w-]*$/.test(key) ? key : JSON.stringify(key)
}

function yamlMember(value: YamlValue, indent: string): string {
  const nested = typeof value === 'object' && value !== null && Object.keys(value).length > 0
  return nested ? `\n${toYaml(value, `${indent}  `)}` : ` ${toYaml(value).trimStart()}`
}
