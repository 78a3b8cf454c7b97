/** Capabilities by name, each with its value as text. */
export type CapabilityTexts = Readonly<Record<string, string>>

/** The rows of the capability table in a README: `| name | value | … |`, both as code. */
export const statedCapabilities = (readme: string): CapabilityTexts => {
  const [, table = ''] = /^\| capability .*\n\|[ \-|]+\n((?:\|.*\n)+)/m.exec(readme) ?? []
  return Object.fromEntries([...table.matchAll(/^\| *`([^`]+)` *\| *`([^`]+)` *\|/gm)].map(([, name = '', value = '']) => [name, value]))
}

/** The capabilities of ports. Ports that differ in a capability have each of its values in the text. */
export const actualCapabilities = (ports: readonly { readonly capabilities: object }[]): CapabilityTexts => {
  const values: Record<string, Set<string>> = {}
  for (const { capabilities } of ports)
    for (const [name, value] of Object.entries(capabilities)) (values[name] ??= new Set()).add(String(value))
  return Object.fromEntries(Object.entries(values).map(([name, texts]) => [name, [...texts].join(' or ')]))
}
