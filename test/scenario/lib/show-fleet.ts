/** A balancer with something to see: upstreams of several kinds under steady load, one server failing, one draining. */
import type { ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, fetch } from 'undici'
import { startBalancer } from './balancer.ts'
import { command } from './command.ts'
import { freePort } from './listening.ts'
import { type Member, members } from './member.ts'
import { until } from './wait.ts'

/** Between two requests of a client, so that the machine is not the slowest part of what is shown. */
const PAUSE_MS = 15

/** A fixed sequence that looks like chance, from 0 to 1. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** Answers after a time around `ms`, with a tail; some answers of `failing` servers are errors. */
function behave(server: Member, ms: number, failing = 0): void {
  const random = chance(server.port)
  server.handle = async (req, res) => {
    if (req.url?.endsWith('/long')) return goOn(res)
    const slow = random() < 0.02 ? 8 : 1
    await delay(ms * slow * (0.5 + random() ** 2 * 2))
    res.writeHead(random() < failing ? 503 : 200).end('x'.repeat(2_000))
    server.requests.length = 0
  }
}

/** A part now and then, until the client has enough. */
function goOn(res: ServerResponse): void {
  const timer = setInterval(() => res.write('more'), 2_000)
  res.on('close', () => clearInterval(timer)).write('a long download begins')
}

/** Its dashboard, and how long one should watch before there is something to see. */
export async function showFleet(t: TestContext): Promise<{ url: string; watchMs: number }> {
  const [a, b, c, d, e, f] = (await members(t, 'abcdef')) as [Member, Member, Member, Member, Member, Member]
  const times: [Member, number, number?][] = [
    [a, 2],
    [b, 2],
    [c, 3],
    [d, 25],
    [e, 30, 0.03],
  ]
  for (const [server, ms, failing] of times) behave(server, ms, failing)
  await f.stop()
  f.handle = (_req, res) => void res.end()
  const port = await freePort()
  const weir = await startBalancer(t, {
    workers: 2,
    listeners: {
      web: {
        bind: '127.0.0.1:0',
        routes: [
          { match: { path: '/img/' }, upstream: 'images' },
          { match: {}, upstream: 'api' },
        ],
      },
    },
    upstreams: {
      api: { ...health, servers: [named('berlin-1', a), named('berlin-2', b), named('paris-1', c)] },
      images: { ...health, balance: 'power-of-two', servers: [named('east', d), named('west', e), named('south', f)] },
    },
    admin: { bind: `127.0.0.1:${port}` },
  })
  const load = keepLoading(weir.url('/v1/orders'), 12).concat(keepLoading(weir.url('/img/cat.jpg'), 5))
  t.after(() => load.forEach((stop) => stop()))
  const downloads: Promise<string>[] = []
  // Long downloads keep the drain going.
  for (let i = 0; i < 8; i++)
    downloads.push(
      fetch(weir.url('/img/long'))
        .then((answer) => answer.text())
        .catch(() => ''),
    )
  await delay(500)
  await until(async () => (await command(weir, 'drain', 'images/east')).code === 0)
  await command(weir, 'weight', 'api/paris-1', '50%')
  return { url: `http://127.0.0.1:${port}/`, watchMs: 50_000 }
}

const health = { health: { http: '/health', interval: '250ms', timeout: '100ms' } }

function named(name: string, { address }: Member): { name: string; address: string } {
  return { name, address }
}

/** So many clients that ask one thing after the other. Each answers how to stop it. */
function keepLoading(url: string, clients: number): (() => void)[] {
  return Array.from({ length: clients }, () => {
    const dispatcher = new Agent({ connections: 1 })
    let isOn = true
    void (async () => {
      while (isOn) {
        await delay(PAUSE_MS)
        await fetch(url, { dispatcher }).then(
          (answer) => answer.text(),
          () => delay(50),
        )
      }
    })()
    return () => {
      isOn = false
      void dispatcher.destroy()
    }
  })
}
