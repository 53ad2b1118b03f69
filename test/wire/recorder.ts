// The server behind the balancer in the run of the wire documents: it records every byte that it gets, and answers.
import { rawServer, type ServerSocket } from '../scenario/lib/raw-server.ts'
import type { Scope } from '../scenario/lib/wait.ts'

export interface RecordedRequest {
  line: string
  /** Lower-case names; several of one name joined with ', '. */
  headers: Record<string, string>
  body: string
}

export interface Recorded {
  /** Requests that arrived whole. */
  requests: RecordedRequest[]
  /** Everything that arrived, latin1. */
  bytes: string
}

export interface Recorder {
  readonly address: string
  /** What was recorded since the last call. */
  taken(): Recorded
  /** The bytes that the next requests for /play are answered with, before their connection is closed. */
  play(bytes: Buffer): void
}

const WHOLE_RUN_MS = 120_000

/** Answers each request with 200 and its own target, and requests for /play with what is played. */
export async function startRecorder(scope: Scope): Promise<Recorder> {
  let recorded: Recorded = { requests: [], bytes: '' }
  let played = Buffer.alloc(0)
  const server = await rawServer(scope, async (socket) => {
    socket.socket.on('data', (bytes: Buffer) => {
      recorded.bytes += bytes.toString('latin1')
    })
    for (;;) {
      const request = await readRequest(socket)
      recorded.requests.push(request)
      const [method = '', target = ''] = request.line.split(' ')
      if (target === '/play') return socket.end(played.toString('latin1'))
      socket.write(`HTTP/1.1 200 OK\r\nX-Recorder: yes\r\nContent-Length: ${target.length}\r\n\r\n${method === 'HEAD' ? '' : target}`)
    }
  })
  return {
    address: server.address,
    taken() {
      const all = recorded
      recorded = { requests: [], bytes: '' }
      return all
    },
    play(bytes) {
      played = Buffer.from(bytes)
    },
  }
}

async function readRequest(socket: ServerSocket): Promise<RecordedRequest> {
  const [line = '', ...lines] = (await socket.readHead(WHOLE_RUN_MS)).slice(0, -4).split('\r\n')
  const headers: Record<string, string> = {}
  for (const field of lines) {
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).toLowerCase()
    const value = field.slice(colon + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { line, headers, body: await readBody(socket, headers) }
}

async function readBody(socket: ServerSocket, headers: Record<string, string>): Promise<string> {
  if (headers['transfer-encoding'] === undefined) return (await socket.readBytes(Number(headers['content-length'] ?? 0))).toString('latin1')
  let body = ''
  for (;;) {
    const size = Number.parseInt(await socket.readUntil('\r\n'), 16)
    if (size === 0) break
    body += (await socket.readBytes(size)).toString('latin1')
    await socket.readBytes(2)
  }
  while ((await socket.readUntil('\r\n')) !== '\r\n');
  return body
}
