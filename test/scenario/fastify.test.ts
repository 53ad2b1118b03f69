// A Fastify application behind the balancer.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { fastify } from 'fastify'
import { startBalancer } from './lib/balancer.ts'
import { ask, fetchText } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'

const app = fastify({ trustProxy: true, forceCloseConnections: true })
const schema = { body: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } }
app.get('/who', (request) => ({ ip: request.ip, host: request.host, protocol: request.protocol, id: request.headers['x-request-id'] }))
app.post('/named', { schema }, (request) => ({ hello: (request.body as { name: string }).name }))
app.get('/stream', (_request, reply) => reply.type('text/plain').send(Readable.from(['one ', 'two ', 'three'])))
app.delete('/thing', (_request, reply) => reply.code(204).send())
await app.listen({ port: 0, host: '127.0.0.1' })
file.after(() => app.close())
const { port } = app.server.address() as AddressInfo
const weir = await startBalancer(file, config({ servers: [`127.0.0.1:${port}`] }))

test('the application knows its client, host and protocol', async (t) => {
  const { id, ...who } = JSON.parse((await ask(t, weir.port(), 'GET /who', { Host: 'shop.example' })).text) as Record<string, string>
  assert.deepEqual(who, { ip: '127.0.0.1', host: 'shop.example', protocol: 'http' })
  assert.ok(id)
})

test('a checked body is accepted and a wrong one refused by the application', async () => {
  const post = (body: string) => fetchText(weir.url('/named'), { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  assert.deepEqual(JSON.parse((await post('{"name":"weir"}')).text), { hello: 'weir' })
  assert.equal((await post('{}')).status, 400)
})

test('a stream and an empty answer are passed on', async () => {
  assert.equal((await fetchText(weir.url('/stream'))).text, 'one two three')
  assert.equal((await fetchText(weir.url('/thing'), { method: 'DELETE' })).status, 204)
})

test('keep-alive connections of the application are used again', async () => {
  let opened = 0
  app.server.on('connection', () => opened++)
  for (let i = 0; i < 30; i++) assert.equal((await fetchText(weir.url('/who'))).status, 200)
  assert.ok(opened <= 2, `${opened} connections for 30 requests`)
})
