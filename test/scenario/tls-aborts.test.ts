// Handshakes that are cut at random bytes leave nothing behind. TLS_ABORTS=10000 is the long run, SEED repeats one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { authority } from './lib/certificates.ts'
import { config } from './lib/config.ts'
import { descriptors, KEEPS_FREED_MEMORY, residentBytes } from './lib/processes.ts'
import { startServer } from './lib/server.ts'
import { askSecurely, cutHandshake } from './lib/tls.ts'
import { until } from './lib/wait.ts'

const ABORTS = Number(process.env['TLS_ABORTS'] ?? 200)
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const AT_ONCE = 20
/** ClientHello, the server's flight with its certificate, and what the client answers are together less than this. */
const HANDSHAKE_BYTES = 2_500
const MiB = 1024 * 1024

/** Numbers from 0 to 1 that a seed repeats (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`${ABORTS} handshakes that are cut at random bytes leave descriptors and memory as they were`, { timeout: 600_000 }, async (t) => {
  t.diagnostic(`SEED=${SEED}`)
  const random = randomFrom(SEED)
  const ca = await authority(t)
  const { path, keyPath } = await ca.issue({ names: ['a.test'] })
  const server = await startServer(t, (_req, res) => void res.end('here'))
  const tls = { certificates: [{ cert: path, key: keyPath }] }
  const weir = await startBalancer(
    t,
    config({ servers: [server.address], upstream: { keepAlive: { idle: 0 } }, listener: { protocol: 'https', tls } }),
  )
  const worker = weir.workerPids()[0] as number
  const trust = { ca: ca.cert, servername: 'a.test' }
  let cut = 0
  const some = async (count: number) => {
    for (let done = 0; done < count; done += AT_ONCE) {
      const one = () => {
        const version = random() < 0.5 ? ('TLSv1.2' as const) : ('TLSv1.3' as const)
        const how = random() < 0.5 ? ('reset' as const) : ('end' as const)
        const after = 1 + Math.floor(random() * HANDSHAKE_BYTES)
        return cutHandshake(weir.port(), { ...trust, maxVersion: version }, { after, how })
      }
      const ends = await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - done) }, one))
      cut += ends.filter((end) => end === 'cut').length
    }
  }
  // What is allocated once, such as the connections to the server, is there after the first ones.
  await some(100)
  assert.equal((await askSecurely(t, weir.port(), trust)).text, 'here')
  await until(() => server.open === 0, { what: 'the first connections are closed' })
  const before = { fds: descriptors(worker).all, memory: residentBytes(worker) }
  await some(ABORTS)
  assert.ok(cut > ABORTS / 2, `only ${cut} were cut`)
  await until(() => server.open === 0 && descriptors(worker).all <= before.fds, {
    within: 15_000,
    what: `no more than ${before.fds} descriptors`,
  })
  const grown = residentBytes(worker) - before.memory
  t.diagnostic(`${cut} cut; memory grew by ${Math.round(grown / 1024)} KiB`)
  assert.ok(KEEPS_FREED_MEMORY || grown < 12 * MiB, `memory grew by ${Math.round(grown / 1024)} KiB`)
  assert.equal((await askSecurely(t, weir.port(), trust)).text, 'here')
})
