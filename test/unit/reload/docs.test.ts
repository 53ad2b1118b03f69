import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { howOf, rowAt } from '../../../src/primary/reload/option-row.ts'
import { configSchema } from '../../../src/shared/config/schema.ts'
import { nodeOf } from '../../../src/shared/config/schema-node.ts'
import { leaves } from './schema-leaves.ts'

const page = readFileSync(new URL('../../../docs/reload.md', import.meta.url), 'utf8')

test('docs/reload.md lists the options of each class as the schema has them', () => {
  const byClass = grouped(leaves(nodeOf(configSchema), ''))
  for (const name of ['new-connections', 'drains', 'restart']) {
    const row = page
      .split('\n')
      .find((line) => line.startsWith(`| \`${name}\` | \`listeners`) || line.startsWith(`| \`${name}\` | \`workers`))
    const listed = [...(row?.split('|')[2] ?? '').matchAll(/`([^`]+)`/g)].map(([, option]) => option)
    assert.deepEqual(listed.toSorted(), byClass.get(name)?.toSorted(), name)
  }
})

test('docs/reload.md says of every class how a plan calls it', () => {
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| (live|drains|restart) \| /gm)].map(([, name = '', how]) => [name, how])
  assert.deepEqual(Object.fromEntries(rows), howOf)
})

/** The class of a path with `*` and `[]` in it. */
function classOf(path: string): string {
  const keys = path.replaceAll('[]', '.[]').split('.')
  return rowAt(keys)?.['x-reload'] ?? ''
}

/** The page names TLS as a whole: its options are many, and of one class. */
function sectionOf(path: string): string {
  return path.replace(/^((?:listeners|upstreams)\.\*\.tls)\b.*/, '$1')
}

function grouped(paths: string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const path of paths) groups.set(classOf(path), [...new Set([...(groups.get(classOf(path)) ?? []), sectionOf(path)])])
  return groups
}
