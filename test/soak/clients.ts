/** Clients that ask, and often leave in the middle. */
import { connect, type Socket } from 'node:net'
import type { Chance } from './chance.ts'
import { END_MARK } from './server.ts'

export interface ClientTally {
  requests: number
  answered: number
  left: number
}

interface Run {
  port: number
  requests: number
  concurrency: number
  chance: Chance
}

/** What a client sends, and how much of it. */
interface Plan {
  bytes: string
  requests: number
  /** Leaves when so many bytes of the responses have come; undefined: stays for all of them. */
  leavesAfter: number | undefined
  byReset: boolean
}

const GIVES_UP_MS = 15_000

/** Sends `requests` requests over many connections, `concurrency` at a time. */
export async function runClients(run: Run): Promise<ClientTally> {
  const tally = { requests: 0, answered: 0, left: 0 }
  const loop = async () => {
    while (tally.requests < run.requests) {
      const plan = planOf(run.chance)
      tally.requests += plan.requests
      const answered = await live(run.port, plan)
      tally.answered += answered
      if (answered < plan.requests) tally.left += 1
    }
  }
  await Promise.all(Array.from({ length: run.concurrency }, loop))
  return tally
}

function planOf(chance: Chance): Plan {
  const requests = chance.between(1, 8)
  const whole = Array.from({ length: requests }, () => requestOf(chance)).join('')
  const leaves = chance.happens(0.5)
  const bytes = leaves && chance.happens(0.4) ? whole.slice(0, chance.between(0, whole.length - 1)) : whole
  const leavesAfter = leaves ? (chance.happens(0.5) ? 0 : chance.between(1, 300_000)) : undefined
  return { bytes, requests, leavesAfter, byReset: chance.happens(0.5) }
}

function requestOf(chance: Chance): string {
  const kind = chance.between(0, 9)
  const head = (method: string, fields = '') => `${method} /${chance.between(0, 999_999)} HTTP/1.1\r\nHost: soak.test\r\n${fields}\r\n`
  if (kind === 0) return `${head('POST', 'Content-Length: 11\r\n')}hello world`
  if (kind === 1) return `${head('PUT', 'Content-Length: 20000\r\n')}${'x'.repeat(20_000)}`
  if (kind === 2) return `${head('PUT', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`
  return head('GET')
}

/** One connection's life; resolves with the number of whole responses. */
function live(port: number, plan: Plan): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let received = 0
    let answered = 0
    const leave = () => end(socket, plan.byReset)
    socket.once('connect', () => {
      socket.write(plan.bytes, () => {
        if (plan.leavesAfter === 0) setImmediate(leave)
      })
    })
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length
      answered += countOf(bytes, END_MARK)
      if (answered >= plan.requests || (plan.leavesAfter !== undefined && received >= plan.leavesAfter)) leave()
    })
    socket.on('end', () => socket.end())
    // Whatever became of it: a server that broke off ends the connection before all is answered.
    socket.on('error', () => undefined)
    socket.setTimeout(GIVES_UP_MS, leave)
    // A plan that sent less than it announced waits for nothing.
    if (plan.leavesAfter !== undefined) setTimeout(leave, 200).unref()
    socket.once('close', () => resolve(Math.min(answered, plan.requests)))
  })
}

function end(socket: Socket, byReset: boolean): void {
  if (byReset) socket.resetAndDestroy()
  else socket.destroy()
}

function countOf(bytes: Buffer, mark: number): number {
  let count = 0
  for (let at = bytes.indexOf(mark); at >= 0; at = bytes.indexOf(mark, at + 1)) count += 1
  return count
}
