/** Talks to the control socket of a balancer as any program may. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerStatus, StatusData } from '../../../src/shared/control/data.ts'
import type { VerbName } from '../../../src/shared/control/requests.ts'
import { inTime, type Scope } from './wait.ts'

const ANSWER_MS = 10_000

/** One line of an answer. */
export interface Reply<D = Record<string, unknown>> {
  schema: string
  generation: number
  time: string
  data: D
  error?: { code: string; message: string; exit: number }
}

/** A path of its own for a control socket, removed with the scope. */
export function controlPath(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'weir-control-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'weir.sock')
}

/** The lines of the answer to one request, the final one last. */
export async function linesOf(scope: Scope, path: string, request: object, within = ANSWER_MS): Promise<Reply[]> {
  const socket = open(scope, path)
  const lines: Reply[] = []
  const ended = new Promise<void>((resolve, reject) => {
    let text = ''
    socket.on('data', (part: string) => {
      const parts = (text + part).split('\n')
      text = parts.pop() as string
      lines.push(...parts.map((line) => JSON.parse(line) as Reply))
      if (lines.some(({ schema }) => schema !== 'weir.progress/1')) resolve()
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`closed before the answer: ${text}`)))
  })
  socket.write(`${JSON.stringify(request)}\n`)
  await inTime(ended, { within, what: `an answer to ${JSON.stringify(request)}` })
  socket.destroy()
  return lines
}

/** The answer to one request. */
export async function control<D = Record<string, unknown>>(
  scope: Scope,
  path: string,
  request: { verb: VerbName } & Record<string, unknown>,
): Promise<Reply<D>> {
  return (await linesOf(scope, path, request)).at(-1) as Reply<D>
}

/** One server as `status` tells of it. */
export async function serverStatus(scope: Scope, path: string, id: string): Promise<ServerStatus> {
  const { data } = await control<StatusData>(scope, path, { verb: 'status' })
  const found = data.upstreams.flatMap(({ servers }) => servers).find((server) => server.id === id)
  if (found === undefined) throw new Error(`no ${id} in the status`)
  return found
}

/** Everything that a line in HAProxy's words is answered until the connection closes. */
export async function haproxyWords(scope: Scope, path: string, line: string): Promise<string> {
  const socket = open(scope, path)
  let text = ''
  socket.on('data', (part: string) => {
    text += part
  })
  const closed = new Promise<void>((resolve, reject) => {
    socket.once('end', () => resolve())
    socket.once('error', reject)
  })
  socket.write(`${line}\n`)
  await inTime(closed, { within: ANSWER_MS, what: `the answer to ${line}` })
  socket.destroy()
  return text
}

function open(scope: Scope, path: string): Socket {
  const socket = connect(path)
  socket.setEncoding('utf8')
  scope.after(() => void socket.destroy())
  return socket
}
