// IPv4, IPv6, names and unix sockets, on both sides.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { type Echo, echo, startServer } from './lib/server.ts'
import type { Scope } from './lib/wait.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-addresses-'))
file.after(() => rmSync(folder, { recursive: true, force: true }))
const servers = {
  four: await startServer(file, echo('four')),
  six: await startServer(file, echo('six'), { host: '::1' }),
  unix: await startServer(file, echo('unix'), { path: join(folder, 'server.sock') }),
}
const routes = Object.keys(servers).map((name) => ({ match: { path: `/${name}/` }, upstream: name }))
const upstreams = {
  ...Object.fromEntries(Object.entries(servers).map(([name, { address }]) => [name, { servers: [address] }])),
  name: { servers: [`localhost:${servers.four.port}`] },
}
const listeners = {
  web: {
    bind: ['127.0.0.1:0', '[::1]:0', `unix:${join(folder, 'front.sock')}`],
    routes: [...routes, { match: { path: '/name/' }, upstream: 'name' }],
  },
  all: { bind: ':0', upstream: 'four' },
}
const weir = await startBalancer(file, config({ servers: [], top: { listeners, upstreams } }))

async function serverOf(scope: Scope, target: Parameters<typeof ask>[1], path: string): Promise<string> {
  return (JSON.parse((await ask(scope, target, `GET ${path}`)).text) as Echo).server
}

test('every address of a listener is printed', () => {
  const [four, six, unix] = [/127/, /::1/, /unix/].map((kind) => weir.addresses().find((text) => kind.test(text)))
  assert.match(four ?? '', /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.match(six ?? '', /^http:\/\/\[::1\]:\d+$/)
  assert.equal(unix, `unix:${join(folder, 'front.sock')}`)
})

for (const name of Object.keys(servers)) {
  test(`clients over IPv4, IPv6 and a unix socket reach a server over ${name}`, async (t) => {
    const six = Number(new URL(weir.addresses().find((text) => text.includes('[::1]')) as string).port)
    assert.equal(await serverOf(t, weir.port(), `/${name}/`), name)
    assert.equal(await serverOf(t, { host: '::1', port: six }, `/${name}/`), name)
    assert.equal(await serverOf(t, join(folder, 'front.sock'), `/${name}/`), name)
  })
}

test('a server may be given by its name', async (t) => {
  assert.equal(await serverOf(t, weir.port(), '/name/'), 'four')
})

test('an address without a host takes IPv4 and IPv6 clients', async (t) => {
  const port = Number(/:(\d+)\/?$/.exec(weir.addresses('all')[0] as string)?.[1])
  assert.equal(await serverOf(t, port, '/'), 'four')
  assert.equal(await serverOf(t, { host: '::1', port }, '/'), 'four')
})
