// A POST is never sent twice unless no byte of it had been read: servers die at random moments, and each order has a number.
//   POST_KILLS=1000  POST_SEED=1
import assert from 'node:assert/strict'
import { Agent, type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Chance, chanceFrom } from '../soak/chance.ts'
import { startBalancer } from './lib/balancer.ts'
import { config } from './lib/config.ts'
import { tally } from './lib/member.ts'
import { type Ledger, mortalServer } from './lib/mortal-server.ts'

const KILLS = Number(process.env['POST_KILLS'] ?? 1_000)
const seed = Number(process.env['POST_SEED'] ?? Math.floor(Math.random() * 1e9))
const LANES = 16
/** More than is kept for a replay. */
const LONG_BODY = 'x'.repeat(100_000)

type Outcome = { number: number; status: number | 'broken' }

/** Sends one order and never a second time. */
function order(agent: Agent, port: number, number: number, body: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const settle = (status: Outcome['status']) => resolve({ number, status })
    const sent = request(
      { agent, port, host: '127.0.0.1', method: 'POST', path: `/${number}`, timeout: 20_000 },
      (response: IncomingMessage) => {
        response.on('error', () => settle('broken'))
        response.resume().on('end', () => settle(response.complete ? (response.statusCode as number) : 'broken'))
      },
    )
    sent.on('error', () => settle('broken'))
    sent.on('timeout', () => sent.destroy())
    sent.end(body)
  })
}

function bodyBy(chance: Chance): string {
  const kind = chance.next()
  return kind < 0.05 ? LONG_BODY : kind < 0.2 ? '' : 'x'.repeat(chance.between(1, 2_000))
}

test(`no order is read twice while servers die ${KILLS} times`, { timeout: 60_000 + KILLS * 60 }, async (t) => {
  const chance = chanceFrom(seed)
  const ledger: Ledger = new Map()
  const servers = await Promise.all([1, 2, 3].map(() => mortalServer(t, chance, ledger)))
  const upstream = { hold: { timeout: '1s' }, queue: { timeout: '1s' }, balance: 'power-of-two', timeouts: { firstByte: '500ms' } }
  const weir = await startBalancer(t, config({ servers: servers.map(({ address }) => address), upstream }), { workers: 2 })
  const agent = new Agent({ keepAlive: true, maxSockets: LANES })
  t.after(() => agent.destroy())
  const outcomes: Outcome[] = []
  let kills = 0
  let last = 0
  const killer = async (index: number) => {
    while (kills < KILLS) {
      await delay(chance.between(2, 50))
      await servers[index]?.die()
      kills++
    }
  }
  const lane = async () => {
    while (kills < KILLS) outcomes.push(await order(agent, weir.port(), ++last, bodyBy(chance)))
  }
  await Promise.all([...servers.map((_, index) => killer(index)), ...Array.from({ length: LANES }, lane)])

  const replay = `POST_SEED=${seed}`
  const twice = [...ledger].filter(([, times]) => times > 1)
  assert.deepEqual(twice, [], `orders were read twice; ${replay}`)
  const served = outcomes.filter(({ status }) => status === 200)
  const invented = served.filter(({ number }) => !ledger.has(number))
  assert.deepEqual(invented, [], `orders were answered that nobody has read; ${replay}`)
  const counts = tally(outcomes.map(({ status }) => String(status)))
  t.diagnostic(`${replay} kills=${kills} orders=${outcomes.length} read=${ledger.size} ${JSON.stringify(counts)}`)
  // Enough went through, and enough broke, for this to mean something.
  assert.ok(served.length > outcomes.length / 4, JSON.stringify(counts))
  assert.ok((counts['502'] ?? 0) > KILLS / 50, JSON.stringify(counts))
  assert.ok(ledger.size > KILLS, `${ledger.size} orders were read`)
  assert.equal(counts['broken'] ?? 0, 0, `the balancer broke off on clients; ${replay}`)
})
