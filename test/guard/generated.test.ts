import assert from 'node:assert/strict'
import { test } from 'node:test'
import { abiHeader } from '../../scripts/generate-abi.ts'
import { configMarkdown, jsonSchema } from '../../src/shared/config/describe.ts'
import { textOf } from './lib/sources.ts'

const hint = 'run `make generate`'

test('native/base/abi.h is what src/native/abi.ts says', () => {
  assert.equal(textOf('native/base/abi.h'), abiHeader(), hint)
})

test('the config reference is what the schema says', () => {
  assert.equal(textOf('docs/reference/config.md'), configMarkdown(), hint)
})

test('the JSON Schema is what the schema says', () => {
  assert.equal(textOf('docs/reference/config.schema.json'), `${JSON.stringify(jsonSchema(), null, 2)}\n`, hint)
})
