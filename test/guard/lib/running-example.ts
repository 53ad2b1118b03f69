/** Runs an example as its README says, on free ports, with stand-ins for the servers that it names. */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { WebSocketServer } from 'ws'
import { MAIN, NODE } from '../../scenario/lib/balancer.ts'
import { freePort, listen, shut } from '../../scenario/lib/listening.ts'
import { inTime, type Scope, until } from '../../scenario/lib/wait.ts'
import { root } from './sources.ts'

export interface Example {
  /** Folder in examples/. */
  folder: string
  /** Name of its config in there. */
  config: string
  /** Nothing listens where its servers should be. */
  serversAreDown?: boolean
}

/** What a stand-in saw of a request. `port` is the one that the example names. */
export interface Seen {
  port: string
  url: string
  headers: Record<string, string>
}

/** Starts it and returns its address, `127.0.0.1:port`. */
export async function runExample(scope: Scope, { folder, config, serversAreDown = false }: Example): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'weir-example-'))
  scope.after(() => rmSync(copy, { recursive: true, force: true }))
  cpSync(join(root, 'examples', folder), copy, { recursive: true })
  const path = join(copy, config)
  writeFileSync(path, await onFreePorts(scope, readFileSync(path, 'utf8'), serversAreDown))
  return start(scope, path)
}

async function onFreePorts(scope: Scope, text: string, serversAreDown: boolean): Promise<string> {
  let changed = text.replace(/(["']):8(080|443)\1/g, "'127.0.0.1:0'")
  for (const port of new Set([...text.matchAll(/127\.0\.0\.1:(9\d{3})/g)].map((match) => match[1] as string))) {
    const stand = serversAreDown ? await freePort() : await standIn(scope, port)
    changed = changed.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${stand}`)
  }
  return changed
}

/** A server that answers with what it saw, and sends back what comes through a WebSocket. Returns its port. */
async function standIn(scope: Scope, port: string): Promise<number> {
  const server = createServer((request, response) => {
    response.setHeader('Server', 'stand-in')
    response.end(JSON.stringify({ port, url: request.url ?? '', headers: request.headers }))
  })
  new WebSocketServer({ server }).on('connection', (socket) => socket.on('message', (message) => socket.send(`${port}: ${message}`)))
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  scope.after(() => shut(server, () => sockets))
  await listen(server, { host: '127.0.0.1', port: 0 })
  return (server.address() as AddressInfo).port
}

async function start(scope: Scope, path: string): Promise<string> {
  const child = spawn(NODE, [MAIN, 'run', path], {
    // What an example keeps goes with its folder.
    env: { ...process.env, STATE_DIRECTORY: dirname(path) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  const keep = (text: string) => {
    log += text
  }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', keep)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  scope.after(async () => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGTERM'), 300).unref()
    await inTime(exited).catch(() => child.kill('SIGKILL'))
  })
  await until(() => log.includes(' ready (') || child.exitCode !== null, { within: 20_000, what: 'the example is ready' })
  const address = /listening on http:\/\/(\S+)/.exec(log)?.[1]
  if (address === undefined) throw new Error(`${path} does not run:\n${log}`)
  return address
}
