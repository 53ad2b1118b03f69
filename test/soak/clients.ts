/** Clients that ask, and often leave in the middle. */
import { connect, type Socket } from 'node:net'
import type { Chance } from './chance.ts'
import { END_MARK } from './server.ts'

export interface ClientTally {
  requests: number
  answered: number
  /** Connections that their client left. */
  left: number
  /** Connections that were kept waiting for an end although everything was asked for: there must be none. */
  stalled: number
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

/** So long without a byte is no slowness any more. */
const STALLED_MS = 20_000
/** A client that means to leave waits so long for what may never come. */
const LEAVES_MS = 200

/** Sends `requests` requests over many connections, `concurrency` at a time. */
export async function runClients(run: Run): Promise<ClientTally> {
  const tally = { requests: 0, answered: 0, left: 0, stalled: 0 }
  const loop = async () => {
    while (tally.requests < run.requests) {
      const plan = planOf(run.chance)
      tally.requests += plan.requests
      const life = await live(run.port, plan)
      tally.answered += life.answered
      tally.left += plan.leavesAfter === undefined ? 0 : 1
      tally.stalled += life.stalled ? 1 : 0
    }
  }
  await Promise.all(Array.from({ length: run.concurrency }, loop))
  return tally
}

function planOf(chance: Chance): Plan {
  const requests = chance.between(1, 8)
  const whole = Array.from({ length: requests }, (_, i) => requestOf(chance, i === requests - 1)).join('')
  const leaves = chance.happens(0.5)
  const bytes = leaves && chance.happens(0.4) ? whole.slice(0, chance.between(0, whole.length - 1)) : whole
  const leavesAfter = leaves ? (chance.happens(0.5) ? 0 : chance.between(1, 300_000)) : undefined
  return { bytes, requests, leavesAfter, byReset: chance.happens(0.5) }
}

// The last request asks for the connection's end: that is what a client that stays waits for, whatever the answers are.
function requestOf(chance: Chance, isLast: boolean): string {
  const kind = chance.between(0, 9)
  const closing = isLast ? 'Connection: close\r\n' : ''
  const head = (method: string, fields = '') =>
    `${method} /${chance.between(0, 999_999)} HTTP/1.1\r\nHost: soak.test\r\n${closing}${fields}\r\n`
  if (kind === 0) return `${head('POST', 'Content-Length: 11\r\n')}hello world`
  if (kind === 1) return `${head('PUT', 'Content-Length: 20000\r\n')}${'x'.repeat(20_000)}`
  if (kind === 2) return `${head('PUT', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`
  return head('GET')
}

/** One connection's life, until it is closed. */
function live(port: number, plan: Plan): Promise<{ answered: number; stalled: boolean }> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let received = 0
    let answered = 0
    let stalled = false
    const leave = () => end(socket, plan.byReset)
    socket.once('connect', () => {
      socket.write(plan.bytes, () => {
        if (plan.leavesAfter === 0) setImmediate(leave)
      })
    })
    socket.on('data', (bytes: Buffer) => {
      received += bytes.length
      answered += countOf(bytes, END_MARK)
      if (plan.leavesAfter !== undefined && received >= plan.leavesAfter) leave()
    })
    socket.on('end', () => socket.end())
    // Whatever became of it: a response that was cut ends the connection before all is answered.
    socket.on('error', () => undefined)
    socket.setTimeout(plan.leavesAfter === undefined ? STALLED_MS : LEAVES_MS, () => {
      stalled = plan.leavesAfter === undefined
      leave()
    })
    socket.once('close', () => resolve({ answered, stalled }))
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
