import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configMarkdown, jsonSchema } from '../../../src/shared/config/describe.ts'
import { configFromInput } from '../../../src/shared/config/load.ts'
import type { SchemaNode } from '../../../src/shared/config/schema-node.ts'

const reference = new URL('../../../docs/reference/', import.meta.url)

test('the manual and the JSON Schema are what the schema generates', () => {
  const how = 'run: node --import tsx scripts/generate-config-docs.ts'
  assert.equal(readFileSync(new URL('config.md', reference), 'utf8'), configMarkdown(), how)
  assert.equal(readFileSync(new URL('config.schema.json', reference), 'utf8'), `${JSON.stringify(jsonSchema(), null, 2)}\n`, how)
})

test('every option has a text and a reload class', () => {
  const missing: string[] = []
  const walk = (node: SchemaNode, path: string): void => {
    for (const [key, option] of Object.entries(node.properties ?? {})) {
      if (!option.description || !option['x-reload']) missing.push(`${path}.${key}`)
      walk(option, `${path}.${key}`)
    }
    for (const inner of [
      node.items,
      node.additionalProperties,
      ...(node.anyOf ?? []),
      ...Object.values((node as { $defs?: Record<string, SchemaNode> }).$defs ?? {}),
    ]) {
      if (inner) walk(inner, path)
    }
  }
  walk(jsonSchema() as SchemaNode, '')
  assert.deepEqual(missing, [])
})

test('the defaults that the schema names are valid themselves', () => {
  const result = configFromInput({ listeners: { web: { bind: ':0', routes: [{ redirect: { to: '/' } }] } } }, 'defaults')
  assert.ok(result.ok)
})
