/** Clients of a control socket that mean no good, as a process of their own: what they cost must not be paid by the clock of a test. */
import { spawn } from 'node:child_process'
import { inTime, type Scope } from './wait.ts'

const program = `
const { randomBytes } = require('node:crypto')
const { connect } = require('node:net')
const path = process.argv[1]

function guest() {
  return new Promise((resolve) => {
    const socket = connect(path)
    const closed = new Promise((done) => socket.on('error', done).on('close', done))
    socket.once('connect', () => resolve({ socket, closed }))
    closed.then(() => resolve({ socket, closed }))
  })
}

async function throwAt(bytes) {
  const { socket, closed } = await guest()
  socket.resume()
  socket.write(bytes)
  await closed
}

async function run() {
  for (let i = 0; i < 20; i++) await throwAt(randomBytes(100_000))
  await throwAt(Buffer.alloc(10_000_000, '{'))
  await throwAt(Buffer.from([0x7b, 0x00, 0xff, 0x0a]))
  await throwAt('\\0\\0\\0\\n')
  const half = await guest()
  half.socket.write('{"verb":"drain","server":"app/', () => half.socket.destroy())
  const unread = await guest()
  unread.socket.pause()
  unread.socket.write('{"verb":"status"}\\n'.repeat(5_000))
  for (let i = 0; i < 30; i++) {
    const { socket } = await guest()
    const wait = { verb: 'wait', server: 'app/a', condition: 'checked', checks: 1000, timeoutMs: 80_000_000 }
    socket.write(JSON.stringify(wait) + '\\n', () => socket.destroy())
  }
  for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 50 }, guest))
  console.log('all were there')
}

run()
process.stdin.resume().on('end', () => process.exit())
`

/**
 * Sends garbage, endless lines, half requests, requests whose answers are never read and waits that are left, then 1,000 clients that
 * say nothing and stay until the scope ends. Settles when the last of them is connected.
 */
export async function throwHostileClients(scope: Scope, path: string, within = 60_000): Promise<void> {
  const child = spawn(process.execPath, ['-e', program, path], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  scope.after(async () => {
    child.stdin.end()
    await inTime(ended, { what: 'the end of the hostile clients' }).catch(() => child.kill('SIGKILL'))
  })
  const done = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()))
  const early = ended.then(() => {
    throw new Error('the hostile clients ended before they were through')
  })
  await inTime(Promise.race([done, early]), { within, what: 'the last hostile client' })
}
