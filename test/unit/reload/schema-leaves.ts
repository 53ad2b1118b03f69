import { nodeOf, type SchemaNode } from '../../../src/shared/config/schema-node.ts'

/** Options that hold a value, or a list or a map of values; matches are what routes are known by. */
export function leaves(node: SchemaNode, at: string): string[] {
  const branches = [node, ...(node.anyOf ?? [])].map(nodeOf)
  const inner = branches.flatMap((branch) => [
    ...Object.entries(branch.properties ?? {}).map(([key, child]) => ({ child, at: at === '' ? key : `${at}.${key}` })),
    ...(branch.additionalProperties ? [{ child: branch.additionalProperties, at: `${at}.*` }] : []),
    ...(branch.items ? [{ child: branch.items, at: `${at}[]` }] : []),
  ])
  const deeper = inner.filter(({ child, at: place }) => !place.endsWith('.match') && isSection(child))
  const own = inner.filter(({ child, at: place }) => place.match(/[a-zA-Z]$/) && !isSection(child)).map(({ at: place }) => place)
  return [...own.filter((place) => !place.endsWith('.match')), ...deeper.flatMap(({ child, at: place }) => leaves(child, place))]
}

function isSection(node: SchemaNode): boolean {
  return [node, ...(node.anyOf ?? [])].map(nodeOf).some((branch) => {
    const item = branch.items ?? (branch.additionalProperties || undefined)
    return branch.properties !== undefined || (item !== undefined && isSection(item))
  })
}
