// PostgreSQL, Redis and an HTTPS server give through the balancer what they give without it.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import {
  copyIn,
  needsPostgres,
  needsRedis,
  pgbench,
  redis,
  redisBenchmark,
  redisCalls,
  sql,
  startPostgres,
  startRedis,
} from './lib/databases.ts'
import { freePort } from './lib/listening.ts'
import { certificateFor, startNginxWith } from './lib/peers.ts'
import { folderFor, needsTools, output } from './lib/tools.ts'
import { type Scope, until } from './lib/wait.ts'

const sha = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

/** Two workers in front of one TCP server. */
async function inFrontOf(scope: Scope, port: number): Promise<number> {
  const weir = await startBalancer(scope, config({ servers: [`127.0.0.1:${port}`], listener: { protocol: 'tcp' } }), { workers: 2 })
  return weir.port()
}

test('PostgreSQL', async (t) => {
  const tools = needsPostgres(t)
  if (tools === undefined) return
  const direct = await startPostgres(t, tools)
  const through = await inFrontOf(t, direct)
  const ways = { directly: direct, 'through the balancer': through }

  for (const [way, port] of Object.entries(ways)) {
    await t.test(`pgbench fills its tables ${way}`, async () => {
      await output(tools.pgbench, ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-i', '-s', '1', '-q', 'postgres'])
      const rows = (table: string) =>
        sql(tools, direct, `select count(*), coalesce(sum(abs(${table.slice(0, 1)}balance)), 0) from pgbench_${table}`)
      assert.equal(await rows('accounts'), '100000|0')
      assert.equal(await rows('branches'), '1|0')
      assert.equal(await rows('tellers'), '10|0')
    })

    const runs = { 'on eight connections': ['-t', '200'], 'on a new connection for each transaction': ['-t', '25', '-C'] }
    for (const [kind, args] of Object.entries(runs)) {
      await t.test(`pgbench runs ${kind} ${way}: none fails, and the books balance`, async () => {
        const before = await books(direct)
        const result = await pgbench(tools, port, '-c', '8', '-j', '2', '-n', ...args)
        const transactions = 8 * Number(args[1])
        assert.deepEqual(result, { processed: transactions, failed: 0 })
        const after = await books(direct)
        assert.equal(after.history - before.history, transactions)
        assert.deepEqual(new Set([after.accounts, after.tellers, after.branches]), new Set([after.deltas]))
        assert.notEqual(after.deltas, before.deltas)
      })
    }

    await t.test(`pgbench reads with prepared statements ${way}`, async () => {
      assert.deepEqual(await pgbench(tools, port, '-c', '8', '-j', '2', '-n', '-S', '-M', 'prepared', '-t', '400'), {
        processed: 3200,
        failed: 0,
      })
    })
  }

  // Sums of what the transactions changed: each must have been applied exactly once, to all four tables.
  async function books(port: number): Promise<Record<'history' | 'accounts' | 'tellers' | 'branches' | 'deltas', number>> {
    const sum = (column: string, table: string) => `(select coalesce(sum(${column}), 0) from pgbench_${table})`
    const columns = [sum('abalance', 'accounts'), sum('tbalance', 'tellers'), sum('bbalance', 'branches'), sum('delta', 'history')]
    const answer = await sql(tools!, port, `select (select count(*) from pgbench_history), ${columns.join(', ')}`)
    const [history, accounts, tellers, branches, deltas] = answer.split('|').map(Number) as [number, number, number, number, number]
    return { history, accounts, tellers, branches, deltas }
  }

  await t.test('a bulk copy in and out is the same on both ways', async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `${i}\t${sha(String(i))}\n`).join('')
    for (const [way, port] of Object.entries(ways)) {
      const table = `bulk_${port}`
      await sql(tools, port, `create table ${table} (id int, value text)`)
      await copyIn(tools, port, table, rows)
      assert.equal(sha(`${await sql(tools, direct, `copy (select * from ${table} order by id) to stdout`)}\n`), sha(rows), way)
      assert.equal(sha(`${await sql(tools, through, `copy (select * from ${table} order by id) to stdout`)}\n`), sha(rows), way)
    }
  })

  await t.test('an error of the server arrives as it is', async () => {
    const errors = await Promise.all(
      Object.values(ways).map((port) =>
        sql(tools, port, 'select 1 / 0').then(
          () => 'no error',
          (error: { stderr: string }) => error.stderr,
        ),
      ),
    )
    assert.match(errors[0] ?? '', /division by zero/)
    assert.equal(errors[1], errors[0])
  })
})

test('Redis', async (t) => {
  const tools = needsRedis(t)
  if (tools === undefined) return
  const direct = await startRedis(t, tools)
  const through = await inFrontOf(t, direct)
  const requests = 20_000
  const runs = { 'one by one': ['-c', '20'], pipelined: ['-c', '20', '-P', '16'], 'on a new connection each': ['-c', '20', '-k', '0'] }

  for (const [kind, args] of Object.entries(runs)) {
    await t.test(`redis-benchmark ${kind} does the same work on both ways`, async () => {
      const count = kind.startsWith('on a new') ? 1_000 : requests
      const worked = []
      for (const port of [direct, through]) {
        await redis(tools, direct, ['flushall'])
        await redis(tools, direct, ['config', 'resetstat'])
        const tests = await redisBenchmark(tools, port, '-t', 'set,get,incr,lpush,lpop,mset', '-n', String(count), '-d', '100', ...args)
        const { set, get, incr, lpush, lpop, mset } = await redisCalls(tools, direct)
        const value = sha(await redis(tools, direct, ['get', 'key:__rand_int__']))
        worked.push({
          tests: tests.length,
          counter: await redis(tools, direct, ['get', 'counter:__rand_int__']),
          set,
          get,
          incr,
          lpush,
          lpop,
          mset,
          value,
        })
      }
      assert.equal(worked[0]?.set?.failed, 0)
      assert.ok((worked[0]?.set?.calls ?? 0) >= count)
      assert.equal(worked[0]?.tests, 6)
      // Every request adds one to the counter, exactly once.
      assert.equal(worked[1]?.counter, worked[0]?.counter)
      assert.ok(Number(worked[1]?.counter) >= count)
      assert.deepEqual(worked[1], worked[0])
    })
  }

  await t.test('a mass insert is answered completely, and its values are read back', async () => {
    await redis(tools, direct, ['flushall'])
    const keys = Array.from({ length: 20_000 }, (_, i) => ({ key: `key:${i}`, value: `${i}:${sha(String(i))}` }))
    const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`
    const commands = keys.map(({ key, value }) => `*3\r\n${bulk('SET')}${bulk(key)}${bulk(value)}`).join('')
    assert.match(await redis(tools, through, ['--pipe'], commands), /errors: 0, replies: 20000/)
    assert.equal((await redis(tools, direct, ['dbsize'])).trim(), '20000')
    const gets = keys.map(({ key }) => `get ${key}\n`).join('')
    const values = keys.map(({ value }) => `${value}\n`).join('')
    assert.equal(sha(await redis(tools, direct, [], gets)), sha(values))
    assert.equal(sha(await redis(tools, through, [], gets)), sha(values))
  })

  await t.test('a large binary value goes in and comes out unchanged', async () => {
    const value = randomBytes(8_000_000)
    assert.equal((await redis(tools, through, ['-x', 'set', 'large'], value)).trim(), 'OK')
    assert.equal((await redis(tools, direct, ['strlen', 'large'])).trim(), '8000000')
    // redis-cli adds a line end to what it prints.
    const read = await redis(tools, through, ['--raw', 'get', 'large'], '')
    assert.equal(sha(Buffer.from(read, 'latin1').subarray(0, -1)), sha(value))
  })
})

test('HTTPS servers, by the name that the client asks for', async (t) => {
  const tools = needsTools(t, ['nginx', 'curl'])
  if (tools === undefined) return
  const folder = folderFor(t, 'https')
  const names = ['a.test', 'b.test'] as const
  const origins = new Map<string, { port: number; cert: string; root: string }>()
  const sections: string[] = []
  for (const name of names) {
    const { cert, key } = await certificateFor(t, name)
    const port = await freePort()
    const root = join(folder, name.slice(0, 1))
    mkdirSync(root)
    writeFileSync(join(root, 'big.bin'), randomBytes(5_000_000))
    writeFileSync(join(root, 'name'), name)
    sections.push(
      `server { listen 127.0.0.1:${port} ssl http2; ssl_certificate ${cert}; ssl_certificate_key ${key}; root ${root};\n` +
        'location = /seen { return 200 "$server_protocol $ssl_server_name $ssl_protocol"; } }',
    )
    origins.set(name, { port, cert, root })
  }
  const ports = [...origins.values()].map(({ port }) => port)
  await startNginxWith(t, tools.nginx, ports, { http: sections.join('\n') })
  const routes = names.map((name) => ({ match: { sni: name }, upstream: name.slice(0, 1) }))
  const upstreams = Object.fromEntries([...origins].map(([name, { port }]) => [name.slice(0, 1), { servers: [`127.0.0.1:${port}`] }]))
  const weir = await startBalancer(
    t,
    config({ servers: [], top: { listeners: { web: { bind: '127.0.0.1:0', protocol: 'tls', routes } }, upstreams } }),
  )

  const curl = (name: string, port: number, paths: string[], ...args: string[]) => {
    const cert = (origins.get(name) ?? origins.get('a.test'))!.cert
    const urls = paths.map((path) => `https://${name}:${port}${path}`)
    const all = ['-sS', '--max-time', '10', '--cacert', cert, '--resolve', `${name}:${port}:127.0.0.1`, ...args, ...urls]
    return new Promise<Buffer>((resolve, reject) => {
      execFile(tools.curl, all, { encoding: 'buffer', maxBuffer: 1e8 }, (error, stdout) =>
        error === null ? resolve(stdout) : reject(error),
      )
    })
  }

  for (const name of names) {
    await t.test(`curl gets from ${name} through the balancer what it gets directly`, async () => {
      const { port, root } = origins.get(name)!
      for (const version of [['--http1.1'], ['--http2'], ['--tls-max', '1.2']]) {
        const seen = [await curl(name, port, ['/seen'], ...version), await curl(name, weir.port(), ['/seen'], ...version)]
        assert.match(String(seen[0]), new RegExp(`^HTTP/\\S+ ${name} TLSv1\\.[23]$`))
        assert.equal(String(seen[1]), String(seen[0]))
        assert.equal(String(await curl(name, weir.port(), ['/name'], ...version)), name)
        assert.equal(sha(await curl(name, weir.port(), ['/big.bin'], ...version)), sha(readFileSync(join(root, 'big.bin'))))
      }
    })

    await t.test(`curl asks ${name} several times on one connection`, async () => {
      const quiet = ['-w', '%{num_connects}\\n', '-o', '/dev/null', '-o', '/dev/null', '-o', '/dev/null']
      assert.equal(String(await curl(name, weir.port(), ['/name', '/seen', '/big.bin'], ...quiet)), '1\n0\n0\n')
    })
  }

  await t.test('a name that no route has gets no connection', async () => {
    await assert.rejects(curl('c.test', weir.port(), ['/name'], '--insecure'))
    await until(() => /listener web: closed a connection from 127\.0\.0\.1: no route matches/.test(weir.log()))
  })
})
