import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { discoveredServers } from '../../../src/primary/discovery/discovered-servers.ts'
import type { DiscoverConfig } from '../../../src/shared/config/model.ts'
import { at, service, services } from './lib/simulated.ts'

const entry = (more: Partial<DiscoverConfig> = {}): DiscoverConfig => {
  return { kind: 'dns', name: 'api.test', port: 8080, weight: 5, tier: 1, zone: 'east', maxConnections: 20, ...more }
}
const srvEntry = entry({ kind: 'srv', port: null, tier: 0 })
const shape = (servers: ReturnType<typeof discoveredServers>) => servers.map(({ name, weight, tier }) => [name, weight, tier])

test('each address is a server with the port, weight, tier, zone and limit of its entry', () => {
  const common = { weight: 5, tier: 1, zone: 'east', maxConnections: 20, foundAs: 'api.test' }
  assert.deepEqual(discoveredServers(entry(), at(['fd00::5', '10.0.0.5'])), [
    { name: '10.0.0.5:8080', address: { kind: 'tcp', host: '10.0.0.5', port: 8080, text: '10.0.0.5:8080' }, ...common },
    { name: '[fd00::5]:8080', address: { kind: 'tcp', host: 'fd00::5', port: 8080, text: '[fd00::5]:8080' }, ...common },
  ])
})

test('the order of an answer does not matter', () => {
  const one = discoveredServers(entry(), at(['10.0.0.5', '10.0.0.10', '10.0.0.5']))
  assert.deepEqual(one, discoveredServers(entry(), at(['10.0.0.10', '10.0.0.5'])))
  assert.equal(one.length, 2)
})

test('an SRV target is a server by its name, with zone and limit of its entry', () => {
  assert.deepEqual(discoveredServers(srvEntry, services([service('a.test', 81, { weight: 7 })])), [
    {
      name: 'a.test:81',
      address: { kind: 'tcp', host: 'a.test', port: 81, text: 'a.test:81' },
      weight: 7,
      tier: 0,
      zone: 'east',
      maxConnections: 20,
    },
  ])
})

test('priorities become tiers without gaps, above the tier of the entry', () => {
  const answer = services([
    service('c.test', 1, { priority: 500 }),
    service('a.test', 1, { priority: 10 }),
    service('b.test', 1, { priority: 20 }),
    service('d.test', 1, { priority: 10 }),
  ])
  const expected = [
    ['a.test:1', 1, 2],
    ['b.test:1', 1, 3],
    ['c.test:1', 1, 4],
    ['d.test:1', 1, 2],
  ]
  assert.deepEqual(shape(discoveredServers({ ...srvEntry, tier: 2 }, answer)), expected)
})

test('weight 0 is 1, and larger weights than 256 are scaled down within their priority', () => {
  const answer = services([
    service('a.test', 1, { weight: 60_000 }),
    service('b.test', 1, { weight: 15_000 }),
    service('c.test', 1, { weight: 0 }),
    service('d.test', 1, { weight: 30, priority: 1 }),
    service('e.test', 1, { weight: 256, priority: 1 }),
  ])
  const expected = [
    ['a.test:1', 256, 0],
    ['b.test:1', 64, 0],
    ['c.test:1', 1, 0],
    ['d.test:1', 30, 1],
    ['e.test:1', 256, 1],
  ]
  assert.deepEqual(shape(discoveredServers(srvEntry, answer)), expected)
})

test('of a record that comes twice, the one of the lower priority counts, then the heavier one', () => {
  const answer = services([
    service('a.test', 1, { priority: 2, weight: 9 }),
    service('a.test', 1, { priority: 1, weight: 2 }),
    service('a.test', 1, { priority: 1, weight: 3 }),
  ])
  assert.deepEqual(shape(discoveredServers(srvEntry, answer)), [['a.test:1', 3, 0]])
})

test('whatever an SRV answer says, weights are 1 to 256 and names are unique', () => {
  const record = fc.record({ host: fc.nat(5), port: fc.integer({ min: 1, max: 3 }), priority: fc.nat(4), weight: fc.nat(65_535) })
  fc.assert(
    fc.property(fc.array(record, { maxLength: 30 }), (records) => {
      const answer = services(records.map(({ host, port, priority, weight }) => service(`h${host}.test`, port, { priority, weight })))
      const servers = discoveredServers(srvEntry, answer)
      assert.ok(servers.every(({ weight }) => Number.isInteger(weight) && weight >= 1 && weight <= 256))
      assert.equal(new Set(servers.map(({ name }) => name)).size, servers.length)
      assert.deepEqual(new Set(servers.map(({ name }) => name)), new Set(records.map(({ host, port }) => `h${host}.test:${port}`)))
    }),
  )
})
