/** A server that runs as a process of its own, to be killed. Arguments: kind, port. It sends its parent the port it got. */
import { createHash, type Hash } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { Readable } from 'node:stream'

const counts: Record<string, number> = {}
const [kind = 'ok', port = '0'] = process.argv.slice(2)

const MIB = 1024 * 1024
const BLOCK = Buffer.alloc(MIB, 'weir moves these bytes and changes none of them; ')

const kinds: Record<string, RequestListener> = {
  /** Reads the body and answers its own pid. */
  ok(req, res) {
    req.resume().on('end', () => {
      res.setHeader('x-pid', process.pid)
      res.end(`served by ${process.pid}`)
    })
  },
  /** Announces a long body, sends its beginning and waits for its end by a kill. */
  'half-length': (_req, res) => begin(res.writeHead(200, { 'content-length': 10 * MIB })),
  'half-chunked': (_req, res) => begin(res),
  /** `GET /n`: n MiB. `POST`: answers the number and the SHA-256 of the bytes it got. */
  bulk(req, res) {
    if (req.method === 'POST') void digest(req, res)
    else stream(res, Number(req.url?.slice(1)))
  },
}

function begin(res: ServerResponse): void {
  res.write('the beginning')
}

async function digest(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const hash: Hash = createHash('sha256')
  let bytes = 0
  for await (const part of req) {
    hash.update(part as Buffer)
    bytes += (part as Buffer).length
  }
  res.end(`${bytes} ${hash.digest('hex')}`)
}

function stream(res: ServerResponse, count: number): void {
  res.setHeader('content-length', count * MIB)
  let left = count
  new Readable({
    highWaterMark: MIB,
    read() {
      this.push(left-- > 0 ? BLOCK : null)
    },
  }).pipe(res)
}

/** `tcp`: says its pid in a line, then sends back what it gets. */
function echo(socket: Socket): void {
  counts['tcp'] = (counts['tcp'] ?? 0) + 1
  socket.on('error', () => socket.destroy())
  socket.write(`${process.pid}\n`)
  socket.pipe(socket)
}

const http = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
  const method = req.method ?? ''
  counts[method] = (counts[method] ?? 0) + 1
  kinds[kind]?.(req, res)
})
const server = kind === 'tcp' ? createTcpServer({ noDelay: true, allowHalfOpen: true }, echo) : http
process.on('message', () => process.send?.({ counts }))
process.on('disconnect', () => process.exit(0))
server.listen({ port: Number(port), host: '127.0.0.1', backlog: kind === 'full' ? 1 : 4096 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
