import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { howOf } from '../../../src/primary/reload/option-row.ts'
import { configSchema } from '../../../src/shared/config/schema.ts'
import { nodeOf, type SchemaNode } from '../../../src/shared/config/schema-node.ts'
import { everyOption, type Key, otherValues, put, steps } from './fixtures.ts'
import { leaves } from './schema-leaves.ts'

/** Options of the schema that a plan tells of in another way than by their own names. */
const otherwise: Record<string, string> = {
  'listeners.*.bind': 'address by address',
  'listeners.*.upstream': 'as the one route that it stands for',
  'listeners.*.redirectToHttps': 'as the one route that it stands for',
  'listeners.*.tls.certificates[].cert': 'as a pair with its key',
  'listeners.*.tls.certificates[].key': 'as a pair with its certificate',
  'listeners.*.tls.certificates[].ocsp': 'with its pair',
  'listeners.*.tls.acme.agreeToTerms': 'has one value only',
  ...Object.fromEntries(
    [
      'listeners.*.tls.minVersion',
      'listeners.*.tls.maxVersion',
      'upstreams.*.tls.minVersion',
      'upstreams.*.tls.maxVersion',
      'upstreams.*.tls.verify',
    ].map((at) => [at, 'has a test of its own, as other options mean nothing with it']),
  ),
  'admin.tokenFile': 'as the token in it',
  'upstreams.*.servers[].name': 'makes it another server',
  'upstreams.*.servers[].dns': 'makes it another name',
  'upstreams.*.servers[].srv': 'makes it another name',
  'upstreams.*.servers[].backup': 'as its tier',
  'upstreams.*.health.tcp': 'is what a check without http is',
}

/** Options that are the same in the model wherever they stand. */
const files = /errorPages\.\*\.file$/
/** Options that are told as the headers that they make. */
const headers = /\.securityHeaders\./

test('every option of the schema has a case here, or a reason why not', () => {
  const known = new Set([...otherValues.map(([keys]) => patternOf(keys)), ...Object.keys(otherwise)])
  const missing = leaves(nodeOf(configSchema), '').filter((at) => !known.has(at) && !files.test(at) && !headers.test(at))
  assert.deepEqual(missing, [])
})

test('each option that differs is one step that names it, of the class that its row has', () => {
  for (const [keys, value, how] of otherValues) {
    const after = everyOption()
    put(after, keys, value)
    if (keys.includes('balance')) put(after, [...keys.slice(0, -1), 'hash'], undefined)
    const found = steps(everyOption(), after).filter(({ text }) => !keys.includes('balance') || !text.includes(': hash '))
    assert.equal(found.length, 1, `${keys.join('.')}: ${JSON.stringify(found)}`)
    assert.equal(found[0]?.how, how, keys.join('.'))
    assert.ok(mentions(found[0].text, keys) === 1, `${keys.join('.')}: ${found[0].text}`)
  }
})

test('versions of TLS and verification are told of, too', () => {
  const config = (ofListener: Record<string, unknown>, ofServers: Record<string, unknown>) => ({
    listeners: { web: { bind: ':443', protocol: 'https', tls: { internal: true, ...ofListener }, upstream: 'app' } },
    upstreams: { app: { servers: ['10.0.0.1:443'], tls: { ...ofServers } } },
  })
  const told = (ofListener: Record<string, unknown>, ofServers: Record<string, unknown>) =>
    steps(config({}, {}), config(ofListener, ofServers)).map(({ how, text }) => `${how} ${text}`)
  assert.match(told({ minVersion: '1.3' }, {}).join(), /^live .*tls\.minVersion from 1\.2 to 1\.3$/)
  assert.match(told({ maxVersion: '1.2' }, {}).join(), /^live .*tls\.maxVersion from 1\.3 to 1\.2$/)
  assert.match(told({}, { minVersion: '1.3' }).join(), /^live .*tls\.minVersion from 1\.2 to 1\.3$/)
  assert.match(told({}, { maxVersion: '1.2' }).join(), /^live .*tls\.maxVersion from 1\.3 to 1\.2$/)
  assert.match(told({}, { verify: false }).join(), /^live .*tls\.verify from true to false$/)
})

test('of any number of options that differ each is named exactly once', () => {
  // Neither changes what other options mean.
  const single = otherValues.filter(
    ([keys]) => !['balance', 'grace', 'health.body'].includes(keys.slice(-2).join('.')) && keys.at(-1) !== 'balance',
  )
  fc.assert(
    fc.property(fc.subarray(single), (chosen) => {
      const after = everyOption()
      for (const [keys, value] of chosen) put(after, keys, value)
      const found = steps(everyOption(), after)
      const named = found.flatMap((step) => {
        const own = chosen.filter(([keys]) => step.at.startsWith(placeOf(keys)) && mentions(step.text, keys) === 1)
        return own.map(([keys]) => keys.join('.'))
      })
      assert.deepEqual(named.toSorted(), chosen.map(([keys]) => keys.join('.')).toSorted(), JSON.stringify(found, null, 1))
      assert.equal(optionCount(found.map(({ text }) => text)), chosen.length)
    }),
    { numRuns: 60 },
  )
})

test('two configs that were built from the same have no steps', () => {
  assert.deepEqual(steps(everyOption(), everyOption()), [])
  fc.assert(
    fc.property(fc.subarray(otherValues.filter(([keys]) => !keys.includes('balance'))), (chosen) => {
      const input = everyOption()
      for (const [keys, value] of chosen.filter(([at]) => !at.includes('regex'))) put(input, keys, value)
      assert.deepEqual(steps(input, input), [])
    }),
    { numRuns: 20 },
  )
})

test('every reload class of the schema has a way in which a plan applies it', () => {
  const used = new Set(classes(nodeOf(configSchema)))
  assert.deepEqual(
    [...used].filter((name) => !Object.hasOwn(howOf, name)),
    [],
  )
})

/** How often an option is named with what became of it. */
function mentions(text: string, keys: readonly Key[]): number {
  const name = nameOf(keys).replaceAll('.', '\\.')
  return [...text.matchAll(new RegExp(`(: |, |^)${name} (from|changed|added|removed)`, 'g'))].length
}

function optionCount(texts: string[]): number {
  return texts.reduce((sum, text) => sum + [...text.matchAll(/(: |, |^)[A-Za-z][\w.]* (from .*? to |changed|added|removed)/g)].length, 0)
}

/** The name in a step's text: below the listener, route, upstream or server. A regex in a body is the body. */
function nameOf(keys: readonly Key[]): string {
  const from = typeof keys[3] === 'number' ? 4 : keys[0] === 'listeners' || keys[0] === 'upstreams' ? 2 : 0
  return keys.slice(from).join('.')
}

function placeOf(keys: readonly Key[]): string {
  if (keys[2] === 'routes') return `listeners.${keys[1]}.routes[${keys[3]}]`
  if (keys[2] === 'servers') return `upstreams.${keys[1]}.servers.${keys[3] === 0 ? 'a' : 'b'}`
  return keys.join('.')
}

function patternOf(keys: readonly Key[]): string {
  let node: SchemaNode | undefined = nodeOf(configSchema)
  let at = ''
  for (const key of keys) {
    const branches: SchemaNode[] = [node as SchemaNode, ...(node?.anyOf ?? [])].map(nodeOf)
    const owner = branches.find((branch) => branch.items ?? branch.additionalProperties ?? branch.properties?.[key])
    const fixed: SchemaNode | undefined = branches.find((branch) => branch.properties?.[key])?.properties?.[key]
    at = fixed ? `${at}.${key}`.replace(/^\./, '') : `${at}${typeof key === 'number' ? '[]' : '.*'}`
    node = fixed ?? owner?.items ?? (owner?.additionalProperties || undefined)
  }
  return at
}

function classes(node: SchemaNode, open: SchemaNode[] = []): string[] {
  if (open.includes(node)) return []
  const children = [...Object.values(node.properties ?? {}), ...(node.anyOf ?? []), node.items, node.additionalProperties || undefined]
  const inner = children.flatMap((child) => (child ? classes(nodeOf(child), [...open, node]) : []))
  return [...(node['x-reload'] === undefined ? [] : [node['x-reload']]), ...inner]
}
