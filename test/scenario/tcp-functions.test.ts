// `onConnection` of a TypeScript config: it may choose, close, take its time and fail, each for its own connection only.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { type Client, connect, type Target } from './lib/client.ts'
import { echoes, namedServer, whoAnswers } from './lib/driven-server.ts'
import { file } from './lib/file-scope.ts'
import { type Scope, until } from './lib/wait.ts'

const a = await namedServer(file, 'a')
const b = await namedServer(file, 'b')

const weir = await startBalancer(
  file,
  `import { setTimeout as delay } from 'node:timers/promises'
type Connection = { clientIp: string; clientPort: number; localPort: number; listener: string; sni: string; alpn: readonly string[] }

const functions: Record<string, (connection: Connection) => unknown> = {
  choose: ({ clientIp }) => ({ upstream: clientIp === '127.0.0.2' ? 'b' : 'a' }),
  nothing: () => undefined,
  close: () => ({ close: true }),
  slow: async ({ clientIp }) => { await delay(150); return { upstream: clientIp === '127.0.0.2' ? 'b' : 'a' } },
  slowClose: async () => { await delay(50); return { close: true } },
  slowNothing: async () => { await delay(50) },
  throws: () => { throw new Error('thrown at once') },
  slowThrows: async () => { await delay(20); throw new Error('thrown later') },
  odd: async () => { throw Object.create(null) },
  nowhere: () => ({ upstream: 'nowhere' }),
  slowNowhere: async () => ({ upstream: 'nowhere' }),
  number: () => 5,
  facts: async (c) => { const early = c.clientPort; await delay(30); console.log('facts ' + JSON.stringify([c.listener, c.clientIp, early, c.clientPort, c.localPort, c.sni, c.alpn])) },
}
export default {
  workers: 1,
  listeners: Object.fromEntries(Object.entries(functions).map(([name, onConnection]) =>
    [name, { bind: '127.0.0.1:0', protocol: 'tcp', routes: [{ match: {}, upstream: 'a', onConnection }] }])),
  upstreams: { a: { servers: ['${a.address}'], health: 'off' }, b: { servers: ['${b.address}'], health: 'off' } },
  shutdown: { grace: '1s' },
}
`,
  { fileName: 'weir.config.ts' },
)

const from = (listener: string, localAddress = '127.0.0.1'): Target => ({ host: '127.0.0.1', port: weir.port(listener), localAddress })

async function expectRefusal(scope: Scope, listener: string): Promise<void> {
  const client = await connect(scope, from(listener)).catch((error: NodeJS.ErrnoException) => error)
  // A reset may come before the client knows that it is connected.
  if (client instanceof Error) assert.equal(client.code, 'ECONNRESET')
  else await client.expectClosed(1_500)
}

/** Is refused until the log has told it: lines are limited per second. */
async function refusedWithLine(scope: Scope, listener: string, cause: RegExp): Promise<void> {
  const line = `listener ${listener}: closed a connection from 127.0.0.1: onConnection closed it, or failed`
  const isTold = async () => {
    await expectRefusal(scope, listener)
    return weir.log().includes(line) && cause.test(weir.log())
  }
  await until(isTold, { what: line })
}

async function works(scope: Scope): Promise<void> {
  const { client, name } = await whoAnswers(scope, from('nothing'))
  assert.equal(name, 'a')
  await echoes(client, 'fine')
}

for (const listener of ['choose', 'slow']) {
  test(`${listener}: the function chooses the upstream`, async (t) => {
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.1', '127.0.0.2'].map((address) => whoAnswers(t, from(listener, address)))
    assert.deepEqual(
      (await Promise.all(answers)).map(({ name }) => name),
      ['a', 'b', 'a', 'b'],
    )
  })
}

for (const listener of ['nothing', 'slowNothing']) {
  test(`${listener}: without an outcome the route's own upstream is used`, async (t) => {
    assert.equal((await whoAnswers(t, from(listener))).name, 'a')
  })
}

for (const listener of ['close', 'slowClose']) {
  test(`${listener}: the function closes the connection, and the log says so`, async (t) => {
    const before = a.connections
    const since = weir.log().length
    await refusedWithLine(t, listener, /^/)
    assert.doesNotMatch(weir.log().slice(since), /a function of the configuration failed/)
    assert.equal(a.connections, before, 'no server was asked')
  })
}

for (const { listener, text } of [
  { listener: 'throws', text: /thrown at once/ },
  { listener: 'slowThrows', text: /thrown later/ },
  { listener: 'odd', text: /cannot be shown/ },
  { listener: 'nowhere', text: /onConnection chose the upstream "nowhere"/ },
  { listener: 'slowNowhere', text: /onConnection chose the upstream "nowhere"/ },
  { listener: 'number', text: /a function of the configuration failed/ },
]) {
  test(`${listener}: a function that fails costs its own connection, and the log says what failed`, async (t) => {
    await refusedWithLine(t, listener, text)
    await works(t)
  })
}

test('what a client sends, and its end, wait for a slow function', async (t) => {
  const client = await connect(t, from('slow'))
  client.send('early words')
  client.end()
  assert.equal((await client.reader.takeRest()).toString(), 'a\nearly words')
  assert.equal(client.reader.wasReset, false)
})

test('a client that leaves while its function runs is not connected to a server', async (t) => {
  const before = a.connections
  const clients: Client[] = []
  for (let i = 0; i < 5; i++) clients.push(await connect(t, from('slow')))
  for (const client of clients) client.reset()
  // Its function runs as long as theirs did, and it came later.
  await whoAnswers(t, from('slow'))
  assert.equal(a.connections, before + 1)
  await works(t)
})

test('a function reads the facts of its own connection, also later', async (t) => {
  const opened = await Promise.all(['127.0.0.1', '127.0.0.3'].map((address) => whoAnswers(t, from('facts', address))))
  for (const { client } of opened) {
    const { localAddress, localPort, remotePort } = client.socket
    const line = `facts ${JSON.stringify(['facts', localAddress, localPort, localPort, remotePort, '', []])}\n`
    await until(() => weir.log().includes(line), { what: line })
  }
})
