// An Express application behind the balancer.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import express from 'express'
import { startBalancer } from './lib/balancer.ts'
import { ask, fetchText } from './lib/client.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { startServer } from './lib/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-express-'))
file.after(() => rmSync(folder, { recursive: true, force: true }))
writeFileSync(join(folder, 'note.txt'), '0123456789')

const app = express()
app.set('trust proxy', 'loopback')
app.use(express.static(folder))
app.get('/who', (req, res) => void res.json({ ip: req.ip, protocol: req.protocol, hostname: req.hostname }))
app.post('/json', express.json({ limit: '2mb' }), (req, res) => void res.json(req.body))
app.get('/go', (_req, res) => res.redirect('/who'))
app.get('/login', (_req, res) => void res.cookie('a', '1').cookie('b', '2').send('welcome'))
app.get('/fails', () => {
  throw new Error('the application failed')
})
app.set('env', 'test')

const server = await startServer(file, (req, res) => app(req, res), { readBody: false })
const weir = await startBalancer(file, config({ servers: [server.address] }))

test('the application knows its client, protocol and host', async (t) => {
  const answer = await ask(t, weir.port(), 'GET /who', { Host: 'shop.example' })
  assert.deepEqual(JSON.parse(answer.text), { ip: '127.0.0.1', protocol: 'http', hostname: 'shop.example' })
})

test('a JSON body comes back equal', async () => {
  const value = { list: Array.from({ length: 20_000 }, (_, i) => i), text: 'größe' }
  const answer = await fetchText(weir.url('/json'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(value),
  })
  assert.deepEqual(JSON.parse(answer.text), value)
})

test('redirects, cookies and errors of the application are passed on', async () => {
  const redirect = await fetchText(weir.url('/go'))
  assert.equal(`${redirect.status} ${redirect.headers['location']}`, '302 /who')
  assert.deepEqual((await fetchText(weir.url('/login'))).headers['set-cookie'], ['a=1; Path=/', 'b=2; Path=/'])
  assert.equal((await fetchText(weir.url('/fails'))).status, 500)
  assert.equal((await fetchText(weir.url('/nowhere'))).status, 404)
})

test('ranges and conditional requests reach the static files', async () => {
  const range = await fetchText(weir.url('/note.txt'), { headers: { range: 'bytes=2-4' } })
  assert.equal(`${range.status} ${range.text}`, '206 234')
  const whole = await fetchText(weir.url('/note.txt'))
  const again = await fetchText(weir.url('/note.txt'), { headers: { 'if-none-match': String(whole.headers['etag']) } })
  assert.equal(`${again.status} ${again.text}`, '304 ')
})
