// autocannon and wrk: many requests as fast as possible, and not one of them fails.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import autocannon from 'autocannon'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { file } from './lib/file-scope.ts'
import { needs } from './lib/programs.ts'
import { startServerProcess } from './lib/server-process.ts'

const servers = [await startServerProcess(file), await startServerProcess(file)]
const weir = await startBalancer(file, config({ servers: servers.map(({ address }) => address) }), { workers: 2 })

test('autocannon sees only good answers', async () => {
  const result = await autocannon({ url: weir.url('/load'), connections: 50, amount: 10_000 })
  assert.deepEqual({ errors: result.errors, timeouts: result.timeouts, bad: result.non2xx }, { errors: 0, timeouts: 0, bad: 0 })
  assert.equal(result['2xx'], 10_000)
})

test('autocannon with pipelining and bodies sees only good answers', async () => {
  const result = await autocannon({
    url: weir.url('/load'),
    connections: 10,
    pipelining: 8,
    amount: 5_000,
    method: 'POST',
    body: 'x'.repeat(500),
  })
  assert.deepEqual({ errors: result.errors, bad: result.non2xx }, { errors: 0, bad: 0 })
})

test('wrk sees only good answers', async (t) => {
  const program = needs(t, 'wrk')
  if (program === undefined) return
  const { stdout } = await promisify(execFile)(program, ['-t1', '-c64', '-d2s', weir.url('/load')])
  assert.match(stdout, /(\d+) requests in/)
  assert.doesNotMatch(stdout, /Socket errors|Non-2xx/)
})
