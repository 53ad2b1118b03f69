// Starting: what is printed, and how a start that cannot work is refused.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { MAIN, NODE, runToEnd, startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { startServer } from './lib/server.ts'

test('the addresses are printed, then that it is ready', async (t) => {
  const server = await startServer(t)
  const weir = await startBalancer(t, config({ servers: [server.address] }), { workers: 2 })
  const [listening, ready, ...more] = weir.stdout().trim().split('\n')
  assert.equal(listening, `weir: listening on http://127.0.0.1:${weir.port()} (web)`)
  assert.equal(ready, 'weir: ready (2 workers)')
  assert.deepEqual(more, [])
  assert.equal(weir.workerPids().length, 2)
  assert.equal((await ask(t, weir.port())).status, 200)
})

test('environment variables expand in the config', async (t) => {
  const server = await startServer(t)
  const text = `
workers: 1
listeners:
  web: { bind: "127.0.0.1:0", upstream: app }
upstreams:
  app: { servers: ["\${APP_ADDRESS}", ] }
shutdown: { grace: "\${GRACE:-2s}" }
`
  const weir = await startBalancer(t, text, { env: { APP_ADDRESS: server.address } })
  assert.equal((await ask(t, weir.port())).status, 200)
})

const wrong: { name: string; text: string; says: RegExp }[] = [
  { name: 'an unknown key', text: 'listenerz: {}\n', says: /weir\.yaml:1:1.*listenerz.*listeners/s },
  {
    name: 'a route to an upstream that does not exist',
    text: 'listeners:\n  web: { bind: "127.0.0.1:0", upstream: nobody }\nupstreams: {}\n',
    says: /nobody/,
  },
  { name: 'YAML that is none', text: 'listeners: [\n', says: /weir\.yaml/ },
  { name: 'an empty file', text: '', says: /\S/ },
]

for (const { name, text, says } of wrong) {
  test(`${name} is refused with exit code 1 and a sentence`, async (t) => {
    const { code, stdout, stderr } = await runToEnd(t, text)
    assert.equal(code, 1)
    assert.match(stderr, says)
    assert.doesNotMatch(stderr, /^\s+at /m, 'no stack')
    assert.doesNotMatch(stdout, /listening|ready/)
  })
}

test('an address that is taken is refused with exit code 1 and names it', async (t) => {
  const server = await startServer(t)
  const { code, stderr } = await runToEnd(t, config({ servers: [server.address], listener: { bind: server.address } }))
  assert.equal(code, 1)
  assert.match(stderr, new RegExp(server.address.replaceAll('.', '\\.')))
  assert.doesNotMatch(stderr, /^\s+at /m)
})

test('a missing file is refused with exit code 1 and its name', () => {
  const { status, stderr } = spawnSync(NODE, [MAIN, 'run', '/nowhere/weir.yaml'], { encoding: 'utf8', timeout: 20_000 })
  assert.equal(status, 1)
  assert.match(stderr, /\/nowhere\/weir\.yaml/)
})
