import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Discovery } from '../../../src/primary/discovery/discovery.ts'
import { HostsFile } from '../../../src/primary/discovery/hosts-file.ts'
import { DnsResolver } from '../../../src/primary/discovery/resolver.ts'
import type { Config, DiscoverConfig, ServerAddress, ServerConfig, UpstreamConfig } from '../../../src/shared/config/model.ts'
import { inTime, until } from '../../scenario/lib/wait.ts'
import { a, srv, startDnsServer } from './lib/dns-server.ts'
import { at, type Says, SimulatedClock, SimulatedResolve, service, services, settled } from './lib/simulated.ts'

/** Of a config, only what discovery reads. */
function config(upstreams: Record<string, { servers?: ServerConfig[]; discover?: DiscoverConfig[] }>): Config {
  const list = Object.entries(upstreams).map(
    ([name, { servers = [], discover = [] }]) => ({ name, servers, discover }) as Partial<UpstreamConfig>,
  )
  return { upstreams: list } as Config
}

function server(name: string, host: string, port = 80): ServerConfig {
  const address: ServerAddress = host.startsWith('/')
    ? { kind: 'unix', path: host, text: `unix:${host}` }
    : { kind: 'tcp', host, port, text: `${host}:${port}` }
  return { name, address, weight: 1, maxConnections: null, tier: 0, zone: null }
}

function discover(kind: 'dns' | 'srv', name: string, more: Partial<DiscoverConfig> = {}): DiscoverConfig {
  return { kind, name, port: kind === 'dns' ? 80 : null, weight: 1, tier: 0, zone: null, maxConnections: null, ...more }
}

const ips = (...list: string[]) => list.map((ip) => ({ ip, port: 80 }))

/** A discovery in simulated time, with what it told since the last `told()`. */
function simulate(first: Config, names: Record<string, Says>) {
  const clock = new SimulatedClock()
  const resolve = new SimulatedResolve(clock, names)
  const lines: string[] = []
  let events: string[] = []
  const discovery = new Discovery({
    config: first,
    resolve,
    clock,
    random: () => 0.5,
    onServers: (upstream, servers) => events.push(`${upstream} = ${servers.map((one) => `${one.name}*${one.weight}`).join(' ')}`),
    onAddresses: (id, list) => events.push(`${id} at ${list.map((one) => ('ip' in one ? one.ip : one.path)).join(' ')}`),
    log: (line) => lines.push(line),
  })
  const told = () => {
    const all = events
    events = []
    return all
  }
  return { clock, resolve, discovery, lines, told, say: (key: string, says: Says) => resolve.names.set(key, says) }
}

test('a listed name is one server with several addresses, which are followed', async () => {
  const { clock, discovery, told, say, lines } = simulate(
    config({ api: { servers: [server('a', 'a.test'), server('b', '10.0.0.9'), server('c', '/run/c.sock')] } }),
    { 'dns a.test': at(['10.0.0.1', '10.0.0.2'], 5_000) },
  )
  await discovery.start()
  assert.deepEqual(told(), ['api/a at 10.0.0.1 10.0.0.2', 'api/b at 10.0.0.9', 'api/c at /run/c.sock'])
  say('dns a.test', at(['10.0.0.2', '10.0.0.1'], 5_000))
  await clock.pass(5_000)
  assert.deepEqual(told(), [])
  say('dns a.test', at(['10.0.0.3'], 5_000))
  await clock.pass(5_000)
  assert.deepEqual([told(), lines], [['api/a at 10.0.0.3'], ['api/a is at 10.0.0.3 now']])
  assert.deepEqual(discovery.addresses(), { 'api/a': ips('10.0.0.3'), 'api/b': ips('10.0.0.9'), 'api/c': [{ path: '/run/c.sock' }] })
})

test('each record behind a discovered name is a server of its own, which comes and goes', async () => {
  const { clock, discovery, told, say, lines } = simulate(
    config({ api: { servers: [server('own', '10.9.9.9')], discover: [discover('dns', 'x.test')] } }),
    {
      'dns x.test': at(['10.0.0.2', '10.0.0.1'], 5_000),
    },
  )
  await discovery.start()
  assert.deepEqual(told(), [
    'api/own at 10.9.9.9',
    'api = 10.0.0.1:80*1 10.0.0.2:80*1',
    'api/10.0.0.1:80 at 10.0.0.1',
    'api/10.0.0.2:80 at 10.0.0.2',
  ])
  assert.deepEqual(
    discovery.wholeConfig().upstreams[0]?.servers.map(({ name }) => name),
    ['own', '10.0.0.1:80', '10.0.0.2:80'],
  )
  say('dns x.test', at(['10.0.0.3', '10.0.0.2'], 5_000))
  await clock.pass(5_000)
  assert.deepEqual(told(), ['api = 10.0.0.2:80*1 10.0.0.3:80*1', 'api/10.0.0.3:80 at 10.0.0.3'])
  assert.deepEqual(Object.keys(discovery.addresses()), ['api/own', 'api/10.0.0.2:80', 'api/10.0.0.3:80'])
  assert.equal(lines.at(-1), 'api: 2 servers discovered, 1 new, 1 gone')
  say('dns x.test', 'ENOTFOUND')
  await clock.pass(100_000)
  assert.deepEqual(told(), [], 'the last good answer stays')
})

test('of a discovered server that comes back it is told again where it is', async () => {
  const { clock, discovery, told, say } = simulate(config({ api: { discover: [discover('dns', 'x.test')] } }), {
    'dns x.test': at(['10.0.0.1', '10.0.0.2'], 5_000),
  })
  await discovery.start()
  say('dns x.test', at(['10.0.0.1'], 5_000))
  await clock.pass(5_000)
  told()
  say('dns x.test', at(['10.0.0.1', '10.0.0.2'], 5_000))
  await clock.pass(5_000)
  assert.deepEqual(told(), ['api = 10.0.0.1:80*1 10.0.0.2:80*1', 'api/10.0.0.2:80 at 10.0.0.2'])
})

test('a server that two services name is where the first says that knows it', async () => {
  const names = ['_x.test', '_y.test', '_z.test']
  const { discovery, told } = simulate(config({ api: { discover: names.map((name) => discover('srv', name)) } }), {
    'srv _x.test': services([service('a.test', 80, { at: null })]),
    'srv _y.test': services([service('a.test', 80, { at: at(['10.0.0.2']) })]),
    'srv _z.test': services([service('a.test', 80, { at: at(['10.0.0.3']) })]),
  })
  await discovery.start()
  assert.deepEqual(told(), ['api = a.test:80*1', 'api/a.test:80 at 10.0.0.2'])
})

test('an SRV target is one server, which is followed where it goes', async () => {
  const { clock, discovery, told, say } = simulate(config({ api: { discover: [discover('srv', '_x.test')] } }), {
    'srv _x.test': services([service('a.test', 80, { weight: 3 }), service('b.test', 80, { at: null })], 5_000),
  })
  await discovery.start()
  assert.deepEqual(told(), ['api = a.test:80*3 b.test:80*1', 'api/a.test:80 at 10.0.0.1'])
  assert.deepEqual(discovery.addresses()['api/b.test:80'], [])
  say('srv _x.test', services([service('a.test', 80, { weight: 3, at: at(['10.0.0.7']) }), service('b.test', 80)], 5_000))
  await clock.pass(5_000)
  assert.deepEqual(told(), ['api/a.test:80 at 10.0.0.7', 'api/b.test:80 at 10.0.0.1'])
})

test('a start waits 2 s for names that do not answer, and takes in what they say later', async () => {
  const { clock, discovery, told, say } = simulate(
    config({ api: { servers: [server('a', 'slow.test')], discover: [discover('dns', 'gone.test')] } }),
    {
      'dns slow.test': 'never',
    },
  )
  let isStarted = false
  const started = discovery.start().then(() => {
    isStarted = true
  })
  say('dns gone.test', at(['10.0.0.1']))
  await clock.pass(1_999)
  assert.ok(!isStarted)
  assert.deepEqual(told(), [])
  await clock.pass(1)
  await inTime(started)
  assert.deepEqual(told(), ['api = 10.0.0.1:80*1', 'api/10.0.0.1:80 at 10.0.0.1'])
  assert.deepEqual(discovery.addresses()['api/a'], [])
})

test('a start does not wait when every name has failed', async () => {
  const { clock, discovery, told, say } = simulate(config({ api: { discover: [discover('dns', 'gone.test')] } }), {})
  await inTime(discovery.start())
  assert.deepEqual([told(), discovery.wholeConfig().upstreams[0]?.servers, clock.now()], [[], [], 0])
  say('dns gone.test', at(['10.0.0.1']))
  await clock.pass(1_000)
  assert.deepEqual(told(), ['api = 10.0.0.1:80*1', 'api/10.0.0.1:80 at 10.0.0.1'])
})

test('a name that is used in several places is asked once', async () => {
  const twice = { servers: [server('a', 'x.test'), server('b', 'X.test.', 81)], discover: [discover('dns', 'x.test')] }
  const { discovery, resolve, told } = simulate(config({ one: twice, two: twice }), { 'dns x.test': at(['10.0.0.1']) })
  await discovery.start()
  assert.deepEqual(resolve.asked, ['0 dns x.test'])
  assert.equal(told().length, 8)
})

test('a server that several entries find, or that is listed, is there once: the first says what it is', async () => {
  const entries = [discover('dns', 'x.test', { weight: 7 }), discover('dns', 'y.test')]
  const { discovery, told } = simulate(config({ api: { servers: [server('10.0.0.1:80', '10.0.0.1')], discover: entries } }), {
    'dns x.test': at(['10.0.0.1', '10.0.0.2']),
    'dns y.test': at(['10.0.0.2', '10.0.0.3']),
  })
  await discovery.start()
  assert.equal(told()[1], 'api = 10.0.0.2:80*7 10.0.0.3:80*1')
  assert.equal(discovery.wholeConfig().upstreams[0]?.servers.length, 3)
})

test('a reload keeps the answers of names that it keeps', async () => {
  const { discovery, resolve, told } = simulate(
    config({ api: { servers: [server('a', 'a.test')], discover: [discover('dns', 'x.test')] } }),
    {
      'dns a.test': at(['10.0.0.1']),
      'dns x.test': at(['10.0.0.2']),
      'dns b.test': at(['10.0.0.3']),
    },
  )
  await discovery.start()
  told()
  const servers = [server('a', 'a.test'), server('b', 'b.test')]
  await discovery.update(config({ api: { servers, discover: [discover('dns', 'x.test', { weight: 4 })] } }))
  assert.deepEqual(told(), ['api/b at 10.0.0.3', 'api = 10.0.0.2:80*4'])
  assert.deepEqual(resolve.asked, ['0 dns a.test', '0 dns x.test', '0 dns b.test'])
})

test('a reload does not let servers vanish while their successors are looked up', async () => {
  const { clock, discovery, told, say } = simulate(config({ api: { discover: [discover('dns', 'x.test')] } }), {
    'dns x.test': at(['10.0.0.1'], 1_000),
    'dns y.test': 'never',
  })
  await discovery.start()
  told()
  const updated = discovery.update(config({ api: { discover: [discover('dns', 'y.test')] } }))
  say('dns x.test', at(['10.0.0.2'], 1_000))
  await clock.pass(1_500)
  assert.deepEqual(told(), ['api = 10.0.0.2:80*1', 'api/10.0.0.2:80 at 10.0.0.2'], 'the old config is in force still')
  await clock.pass(500)
  await inTime(updated)
  assert.deepEqual([told(), clock.waiting], [['api = '], 0])
})

test('a server whose row names another address is not sent to the old one', async () => {
  const { clock, discovery, told, say } = simulate(config({ api: { servers: [server('a', 'a.test')] } }), {
    'dns a.test': at(['10.0.0.1']),
  })
  await discovery.start()
  told()
  await discovery.update(config({ api: { servers: [server('a', 'b.test')] } }))
  assert.deepEqual([told(), discovery.addresses()], [[], { 'api/a': [] }])
  say('dns b.test', at(['10.0.0.1']))
  await clock.pass(1_000)
  assert.deepEqual(told(), ['api/a at 10.0.0.1'])
})

test('of two reloads at once the later one wins', async () => {
  const { clock, discovery, told, resolve } = simulate(config({}), { 'dns slow.test': 'never', 'dns x.test': at(['10.0.0.1']) })
  await discovery.start()
  const first = discovery.update(config({ old: { servers: [server('a', 'slow.test'), server('b', '10.0.0.9')] } }))
  await discovery.update(config({ api: { servers: [server('a', 'x.test')] } }))
  await clock.pass(2_000)
  await inTime(first)
  assert.deepEqual(told(), ['api/a at 10.0.0.1'])
  assert.deepEqual([discovery.addresses(), resolve.asked.length], [{ 'api/a': ips('10.0.0.1') }, 2])
})

test('what a reload removes is not followed any more', async () => {
  const { clock, discovery, told, resolve } = simulate(
    config({ api: { servers: [server('a', 'a.test')], discover: [discover('dns', 'x.test')] } }),
    {
      'dns a.test': at(['10.0.0.1'], 1_000),
      'dns x.test': at(['10.0.0.2'], 1_000),
    },
  )
  await discovery.start()
  told()
  await discovery.update(config({}))
  await clock.pass(100_000)
  assert.deepEqual([told(), discovery.addresses(), clock.waiting, resolve.asked.length], [[], {}, 0, 2])
})

test('stop ends a start that waits, and everything else', async () => {
  const { clock, discovery, told, resolve } = simulate(config({ api: { servers: [server('a', 'a.test'), server('b', '10.0.0.1')] } }), {
    'dns a.test': 'never',
  })
  const started = discovery.start()
  await settled()
  discovery.stop()
  await inTime(started)
  assert.deepEqual([told(), clock.waiting, resolve.isStopped], [[], 0, true])
})

test('with real DNS: servers come, go and move as records do', async (t) => {
  const dns = await startDnsServer(t, {
    'list.test': [a('10.0.0.1', 0), a('10.0.0.2', 0)],
    '_x._tcp.test': [srv('t.test', 8081, { weight: 600 }), srv('t.test', 8082, { weight: 300 })],
    't.test': [a('10.0.1.1', 0)],
  })
  const resolve = new DnsResolver({ servers: [dns.address], hosts: new HostsFile('/nowhere/hosts') })
  const events: string[] = []
  const entries = [discover('dns', 'list.test', { port: 8080 }), discover('srv', '_x._tcp.test', { tier: 1 })]
  const discovery = new Discovery({
    config: config({ api: { servers: [server('named', 'late.test')], discover: entries } }),
    resolve,
    onServers: (_, servers) => events.push(servers.map((one) => `${one.name}*${one.weight}/${one.tier}`).join(' ')),
    onAddresses: (id, list) => events.push(`${id} ${JSON.stringify(list)}`),
    log: () => {},
  })
  t.after(() => discovery.stop())
  await inTime(discovery.start())
  assert.equal(events[0], '10.0.0.1:8080*1/0 10.0.0.2:8080*1/0 t.test:8081*256/1 t.test:8082*128/1')
  assert.deepEqual(discovery.addresses()['api/t.test:8082'], [{ ip: '10.0.1.1', port: 8082 }])
  dns.zones.set('list.test', [a('10.0.0.3', 0), a('10.0.0.2', 0)])
  dns.zones.set('late.test', [a('10.0.2.1', 0)])
  dns.zones.set('t.test', 'servfail')
  await until(() => discovery.servers('api').some(({ name }) => name === '10.0.0.3:8080'))
  await until(() => discovery.addresses()['api/named']?.length === 1)
  assert.deepEqual(
    discovery.servers('api').map(({ name }) => name),
    ['10.0.0.2:8080', '10.0.0.3:8080', 't.test:8081', 't.test:8082'],
  )
  assert.deepEqual(discovery.addresses()['api/t.test:8082'], [{ ip: '10.0.1.1', port: 8082 }])
})
