// nginx serves files behind the balancer: ranges, conditional requests, compression and big files.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { startBalancer } from './lib/balancer.ts'
import { ask, connect } from './lib/client.ts'
import { config } from './lib/config.ts'
import { startNginx } from './lib/nginx.ts'
import { needs } from './lib/programs.ts'

test('nginx behind the balancer', async (t) => {
  const program = needs(t, 'nginx')
  if (program === undefined) return
  const nginx = await startNginx(t, program)
  const text = 'a line that compresses well\n'.repeat(1000)
  const big = randomBytes(5_000_000)
  writeFileSync(join(nginx.root, 'index.html'), '<h1>hello</h1>')
  writeFileSync(join(nginx.root, 'text.txt'), text)
  writeFileSync(join(nginx.root, 'big.bin'), big)
  const weir = await startBalancer(t, config({ servers: [nginx.address] }))
  const port = weir.port()

  await t.test('serves a page and its index', async (t) => {
    const answer = await ask(t, port, 'GET /')
    assert.equal(answer.text, '<h1>hello</h1>')
    assert.equal(answer.header('content-type'), 'text/html')
  })

  await t.test('serves a big file unchanged', async (t) => {
    const answer = await ask(t, port, 'GET /big.bin')
    assert.equal(createHash('sha256').update(answer.body).digest('hex'), createHash('sha256').update(big).digest('hex'))
  })

  await t.test('serves one range, the end of a file and several ranges', async (t) => {
    const one = await ask(t, port, 'GET /big.bin', { Range: 'bytes=1000000-1000999' })
    assert.equal(one.status, 206)
    assert.ok(one.body.equals(big.subarray(1_000_000, 1_001_000)))
    const end = await ask(t, port, 'GET /big.bin', { Range: 'bytes=-10' })
    assert.ok(end.body.equals(big.subarray(-10)))
    const several = await ask(t, port, 'GET /big.bin', { Range: 'bytes=0-1,5-6' })
    assert.match(several.header('content-type') ?? '', /multipart\/byteranges/)
  })

  await t.test('answers 304 to a conditional request and goes on', async (t) => {
    const client = await connect(t, port)
    client.request('GET /text.txt')
    const etag = (await client.readResponse()).header('etag') as string
    client.request('GET /text.txt', { 'If-None-Match': etag })
    assert.equal((await client.readResponse()).status, 304)
    client.request('HEAD /text.txt')
    const head = await client.readResponse({ method: 'HEAD' })
    assert.equal(head.header('content-length'), String(text.length))
    client.request('GET /')
    assert.equal((await client.readResponse()).status, 200)
  })

  await t.test('passes a compressed body on untouched', async (t) => {
    const answer = await ask(t, port, 'GET /text.txt', { 'Accept-Encoding': 'gzip' })
    assert.equal(answer.header('content-encoding'), 'gzip')
    assert.equal(gunzipSync(answer.body).toString(), text)
  })

  await t.test('passes 404, 405 and a redirect of nginx on', async (t) => {
    assert.equal((await ask(t, port, 'GET /nowhere')).status, 404)
    assert.equal((await ask(t, port, 'POST /text.txt', {}, 'x')).status, 405)
    assert.match(
      (await ask(t, port, 'GET /again', { Host: 'shop.example' })).header('location') ?? '',
      /^http:\/\/shop\.example(:\d+)?\/index\.html$/,
    )
  })
})
