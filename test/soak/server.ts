/** A server that answers small, large, chunked, too early, half or not at all, as chance has it. */
import { createServer, type Socket } from 'node:net'
import type { Chance } from './chance.ts'

/** The last byte of every response's body, and nowhere else in what the server sends. */
export const END_MARK = 0x24

const LARGE = Buffer.concat([Buffer.alloc(399_999, 0x6c), Buffer.from('$')])
const SMALL = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody$'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbod\r\n2\r\ny$\r\n0\r\n\r\n'
const LARGE_HEAD = `HTTP/1.1 200 OK\r\nContent-Length: ${LARGE.length}\r\n\r\n`

/** Listens on a free port of 127.0.0.1; its connections keep no process alive. */
export async function startServer(chance: Chance): Promise<{ address: string; close(): void }> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    serve(socket, chance)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const at = server.address()
  if (at === null || typeof at === 'string') throw new Error('the server has no port')
  return {
    address: `127.0.0.1:${at.port}`,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

function serve(socket: Socket, chance: Chance): void {
  let text = ''
  socket.on('error', () => undefined)
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
    for (let length = requestLength(text); length > 0 && !socket.destroyed; length = requestLength(text)) {
      text = text.slice(length)
      answer(socket, chance)
    }
    // Now and then it leaves while a request is still coming.
    if (text.length > 0 && chance.happens(0.02)) socket.destroy()
  })
}

/** Length of the whole request at the start of `text`; 0 when it is not whole. */
function requestLength(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n') + 4
  if (headEnd < 4) return 0
  const head = text.slice(0, headEnd)
  if (head.includes('chunked')) {
    const end = text.indexOf('0\r\n\r\n', headEnd)
    return end < 0 ? 0 : end + 5
  }
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
  return text.length >= headEnd + length ? headEnd + length : 0
}

function answer(socket: Socket, chance: Chance): void {
  const kind = chance.between(0, 199)
  if (kind === 0) return void socket.destroy()
  if (kind === 1) return void socket.resetAndDestroy()
  if (kind === 2) return void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut')
  if (kind === 3) return void socket.write(`${CHUNKED.slice(0, 50)}`, () => socket.resetAndDestroy())
  if (kind === 4) return void socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end$`)
  if (kind === 5) return void socket.write(`${SMALL}unasked`)
  if (kind < 12) {
    socket.write(LARGE_HEAD)
    return void socket.write(LARGE)
  }
  socket.write(kind < 60 ? CHUNKED : kind < 70 ? `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${SMALL}` : SMALL)
}
