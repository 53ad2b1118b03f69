// curl and undici against the balancer, with an ordinary server behind it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { Client, fetch, Pool } from 'undici'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { needs } from './lib/programs.ts'
import { type Echo, startServer } from './lib/server.ts'

const run = promisify(execFile)
const server = await startServer(file)
const weir = await startBalancer(file, config({ servers: [server.address] }))
const sha = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

test('curl', async (t) => {
  const program = needs(t, 'curl')
  if (program === undefined) return
  const curl = async (...args: string[]) => (await run(program, ['-sS', '--max-time', '10', ...args], { maxBuffer: 1e8 })).stdout

  await t.test('gets a page', async () => {
    const seen = JSON.parse(await curl(weir.url('/page?x=1'))) as Echo
    assert.equal(seen.url, '/page?x=1')
    assert.match(seen.headers['user-agent'] ?? '', /^curl/)
  })

  await t.test('uploads a file after asking to continue', async () => {
    const path = join(tmpdir(), `weir-upload-${process.pid}`)
    const bytes = randomBytes(3_000_000)
    writeFileSync(path, bytes)
    t.after(() => rmSync(path, { force: true }))
    const seen = JSON.parse(await curl('-H', 'Expect: 100-continue', '--data-binary', `@${path}`, weir.url('/upload'))) as Echo
    assert.equal(sha(Buffer.from(seen.body, 'latin1')), sha(bytes))
    const chunked = JSON.parse(await curl('-H', 'Transfer-Encoding: chunked', '--data-binary', `@${path}`, weir.url('/upload'))) as Echo
    assert.equal(chunked.headers['content-length'], undefined)
    assert.equal(sha(Buffer.from(chunked.body, 'latin1')), sha(bytes))
  })

  await t.test('asks several times on one connection', async () => {
    const out = await curl(
      '-w',
      '%{num_connects}\n',
      '-o',
      '/dev/null',
      '-o',
      '/dev/null',
      '-o',
      '/dev/null',
      weir.url('/1'),
      weir.url('/2'),
      weir.url('/3'),
    )
    assert.equal(out, '1\n0\n0\n')
  })

  await t.test('speaks HTTP/1.0 and HEAD', async () => {
    assert.equal((JSON.parse(await curl('--http1.0', weir.url('/old'))) as Echo).url, '/old')
    assert.match(await curl('--head', weir.url('/head')), /^HTTP\/1\.1 200 OK\r\n/)
  })

  await t.test('is served when it offers an upgrade to HTTP/2', async () => {
    assert.equal((JSON.parse(await curl('--http2', weir.url('/h2'))) as Echo).url, '/h2')
  })
})

test('undici fetch sends and receives', async () => {
  const body = 'ü'.repeat(100_000)
  const answer = await fetch(weir.url('/fetch'), { method: 'PUT', body, headers: { 'x-a': 'b' } })
  const seen = (await answer.json()) as Echo
  assert.equal(seen.method, 'PUT')
  assert.equal(Buffer.from(seen.body, 'latin1').toString('utf8'), body)
})

test('undici pipelines a thousand requests on one connection', async (t) => {
  const client = new Client(weir.url(), { pipelining: 10 })
  t.after(() => client.close())
  const paths = Array.from({ length: 1000 }, (_, i) => `/p/${i}`)
  const seen = await Promise.all(
    paths.map(async (path) => ((await (await client.request({ method: 'GET', path })).body.json()) as Echo).url),
  )
  assert.deepEqual(seen, paths)
})

test('undici mixes methods over a pool of connections', async (t) => {
  const pool = new Pool(weir.url(), { connections: 20 })
  t.after(() => pool.close())
  const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const
  await Promise.all(
    Array.from({ length: 1000 }, async (_, i) => {
      const method = methods[i % methods.length] as (typeof methods)[number]
      const body = method === 'GET' || method === 'DELETE' ? null : `body ${i}`
      const answer = await pool.request({ method, path: `/m/${i}`, body })
      const seen = (await answer.body.json()) as Echo
      assert.equal(`${seen.method} ${seen.url} ${seen.body}`, `${method} /m/${i} ${body ?? ''}`)
    }),
  )
})
