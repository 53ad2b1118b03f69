import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AgentOrders, parseAgentLine, probeAgent } from '../../../src/primary/health/agent.ts'
import { rawServer, until } from './fixtures.ts'

const lines: [line: string, orders: AgentOrders | null][] = [
  ['ready', { admin: 'ready' }],
  ['up', { down: false }],
  ['drain', { admin: 'drain' }],
  ['maint', { admin: 'maint' }],
  ['down', { down: true }],
  ['stopped # for an upgrade, ready soon', { down: true }],
  ['fail#disk', { down: true }],
  ['75%', { weightShare: 0.75 }],
  ['0%', { weightShare: 0 }],
  ['maxconn:30', { maxConnections: 30 }],
  ['up ready 50% maxconn:10', { down: false, admin: 'ready', weightShare: 0.5, maxConnections: 10 }],
  ['READY,\t20%', { admin: 'ready', weightShare: 0.2 }],
  ['', null],
  ['# nothing', null],
  ['101%', null],
  ['-5%', null],
  ['maxconn:', null],
  ['ready soon', null],
  ['HTTP/1.1 400 Bad Request', null],
]

for (const [line, orders] of lines) {
  test(`the agent line ${JSON.stringify(line)} means ${JSON.stringify(orders)}`, () => assert.deepEqual(parseAgentLine(line), orders))
}

const never = new AbortController().signal

const answers: [what: string, text: string, ends: boolean, expected: [ok: boolean, reason: RegExp]][] = [
  ['a line', 'up 75%\r\n', false, [true, /^agent: up 75%$/]],
  ['a line that ends with the connection', 'drain', true, [true, /^agent: drain$/]],
  ['more than a line', 'ready\ndown\n', false, [true, /^agent: ready$/]],
  ['nothing', '', true, [false, /said nothing/]],
  ['no end', 'up', false, [false, /no agent line in 200ms/]],
  ['a line that is too long', 'up '.repeat(200), false, [false, /no valid agent line/]],
  ['garbage', '\x16\x03\x01\n', false, [false, /no valid agent line/]],
]

for (const [what, text, ends, [ok, reason]] of answers) {
  test(`an agent that sends ${what} is ${ok ? 'obeyed' : 'not obeyed'} and left`, async (t) => {
    const server = await rawServer(t, (socket) => {
      socket.resume()
      if (text !== '') socket.write(text)
      if (ends) socket.end()
    })
    const result = await probeAgent(server.address, 200, never)
    assert.equal(result.ok, ok)
    assert.equal(result.orders !== undefined, ok)
    assert.match(result.reason, reason)
    await until(() => server.sockets.every((socket) => socket.readableEnded || socket.destroyed), 'the connection is closed')
  })
}

test('an agent that floods is cut off', async (t) => {
  const server = await rawServer(t, (socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write('x'.repeat(65_536)));
    }
    socket.on('drain', more)
    more()
  })
  const result = await probeAgent(server.address, 2000, never)
  assert.deepEqual([result.ok, result.reason], [false, 'no valid agent line'])
})
