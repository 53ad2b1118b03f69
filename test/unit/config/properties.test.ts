import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { readYaml } from '../../../src/shared/config/read-yaml.ts'
import { loadText } from './helper.ts'

const full = {
  workers: 2,
  listeners: {
    web: {
      bind: [':8080'],
      protocol: 'http',
      trustedProxies: ['10.0.0.0/8'],
      limits: { connections: 10, headerBytes: '16KiB', headers: 100, bodyBytes: 'none' },
      timeouts: { header: '10s', body: '30s', keepAlive: '75s', write: '60s' },
      routes: [
        {
          match: { host: 'a.b', path: '/x/', method: 'GET' },
          upstream: 'api',
          rewrite: { stripPrefix: '/x' },
          host: 'server',
          timeouts: { connect: '1s', total: '1m' },
          retry: { attempts: 1 },
        },
      ],
    },
  },
  upstreams: {
    api: {
      balance: 'round-robin',
      servers: [
        { name: 'a', address: 'a:1', weight: 2, backup: false },
        { dns: 'b:1', tier: 1, zone: 'z' },
      ],
      health: { http: '/', status: ['200-299', 301], body: { regex: 'x' }, headers: { 'X-A': 'b' }, interval: '1s', rise: 1 },
      agent: { port: 1, interval: '1s' },
      passiveHealth: { failures: 1, ratio: '10%', status: 500, latency: '1s' },
      sticky: { cookie: 'c', secret: '0123456789abcdef' },
      queue: { max: 1, timeout: '1s' },
      breaker: { errors: '10%', latency: 'off' },
      hedge: { after: '1s' },
      retry: { attempts: 1, statuses: [503], backoff: { base: '1ms', max: '2ms' } },
      timeouts: { total: 'none' },
    },
  },
  shutdown: { grace: '5s' },
}
/** Keys that are names of the user's own. */
const free = ['web', 'api']
/** Keys without which the config is not valid. */
const needed = ['listeners', 'bind', 'routes', 'upstream', 'upstreams', 'servers', 'address', 'dns', 'port', 'after', ...free]

test('the whole sample is valid', async () => {
  const result = await loadText(stringify(full))
  assert.ok(result.ok)
})

test('in any part of a valid config a misspelled key is named with its line', async () => {
  const choice = fc.record({ kept: fc.infiniteStream(fc.boolean()), chosen: fc.nat(), swap: fc.nat() })
  await fc.assert(
    fc.asyncProperty(choice, async ({ kept, chosen, swap }) => {
      const lines = stringify(partOf(full, kept)).split('\n')
      const keys = lines.flatMap((line, index) => {
        const key = /^[ -]*([A-Za-z]+):/.exec(line)?.[1]
        return key === undefined || free.includes(key) ? [] : [{ index, key }]
      })
      const target = keys[chosen % keys.length]
      assert.ok(target)
      const at = swap % target.key.length
      const misspelled = `${target.key.slice(0, at)}q${target.key.slice(at)}`
      lines[target.index] = lines[target.index]?.replace(target.key, misspelled) ?? ''
      const result = await loadText(lines.join('\n'))
      assert.ok(!result.ok)
      const named = result.problems.find(({ message, path }) => message === 'unknown key' && path.endsWith(misspelled))
      assert.equal(named?.line, target.index + 1, lines.join('\n'))
      assert.equal(named?.hint, `did you mean "${target.key}"?`)
    }),
    { numRuns: 150 },
  )
})

test('no YAML text makes the reader throw', () => {
  const piece = fc.constantFrom(
    'a',
    ': ',
    '- ',
    '\n',
    '  ',
    '\t',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '!x ',
    '|',
    '>',
    '"',
    "'",
    '#',
    '---\n',
    '%',
    '? ',
    '${',
    '}',
    'listeners',
    '1',
    ',',
    '\u0000',
    '\ufeff',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
  )
  fc.assert(
    fc.property(text, (yaml) => {
      assert.ok(Array.isArray(readYaml(yaml, 'weir.yaml', {}).problems))
    }),
    { numRuns: 2000 },
  )
})

test('any YAML text is either a config or has problems', async () => {
  const value = fc.object({
    maxDepth: 4,
    key: fc.constantFrom('listeners', 'web', 'routes', 'match', 'upstream', 'upstreams', 'servers', 'path', 'x'),
  })
  await fc.assert(
    fc.asyncProperty(value, async (object) => {
      const result = await loadText(stringify(object))
      assert.ok(result.ok || result.problems.length > 0)
    }),
    { numRuns: 150 },
  )
})

function partOf(value: unknown, kept: Iterator<boolean>): unknown {
  if (Array.isArray(value)) return value.map((item) => partOf(item, kept))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => needed.includes(key) || kept.next().value === true)
  return Object.fromEntries(entries.map(([key, item]) => [key, partOf(item, kept)]))
}
