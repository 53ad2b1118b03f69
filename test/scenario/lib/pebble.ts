/** A real ACME server for tests, pebble, with a DNS in which every name is 127.0.0.1. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { makeCertificate } from './certificates.ts'
import { freePort } from './listening.ts'
import { folderFor, needsTools, startTool } from './tools.ts'
import { inTime, type Scope, until } from './wait.ts'

export interface Pebble {
  /** URL of its directory, and the authority of its own certificate. */
  readonly directory: string
  readonly directoryCa: string
  /** What it issues is signed by this one, which it makes anew with each start. */
  root(): Promise<string>
  /** Breaks it off. */
  kill(): Promise<void>
  /** After `kill`: the same again, which remembers nothing. */
  restart(): Promise<void>
  /** What it wrote so far. */
  log(): string
}

export interface PebbleOptions {
  /** Where it asks for answers to challenges. */
  httpPort?: number
  tlsPort?: number
  /** Of what it issues, in seconds. */
  lifeSeconds?: number
  /** Percentage of good nonces that it refuses; its own default is 5. */
  badNonces?: number
}

/** Paths of the programs; where they are missing the test is skipped. */
export function needsPebble(t: TestContext) {
  return needsTools(t, ['pebble', 'pebble-challtestsrv'])
}

export async function startPebble(
  scope: Scope,
  tools: { pebble: string; 'pebble-challtestsrv': string },
  options: PebbleOptions,
): Promise<Pebble> {
  const folder = folderFor(scope, 'pebble')
  const dns = await startDns(scope, tools['pebble-challtestsrv'])
  const [port, management] = [await freePort(), await freePort()]
  const { path, keyPath } = await makeCertificate(scope, 'localhost')
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: path,
    privateKey: keyPath,
    httpPort: options.httpPort ?? 1,
    tlsPort: options.tlsPort ?? 1,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
    ...(options.lifeSeconds === undefined ? {} : { certificateValidityPeriod: options.lifeSeconds }),
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ pebble: config }))
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: String(options.badNonces ?? 5), GODEBUG: 'netdns=go' }
  const output: Buffer[] = []
  let running: ChildProcess | null = null
  const ca = readFileSync(path, 'utf8')
  const start = async () => {
    const child = spawn(tools.pebble, ['-config', join(folder, 'config.json'), '-dnsserver', dns], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => void output.push(bytes))
    running = child
    await until(() => fetchText(`https://localhost:${port}/dir`, ca), { what: 'pebble answers' })
  }
  const kill = async () => {
    const child = running
    running = null
    if (child === null || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await inTime(ended, { what: 'the end of pebble' })
  }
  scope.after(kill)
  await start()
  return {
    directory: `https://localhost:${port}/dir`,
    directoryCa: path,
    root: () => fetchText(`https://localhost:${management}/roots/0`, ca),
    kill,
    restart: start,
    log: () => Buffer.concat(output).toString('utf8'),
  }
}

async function startDns(scope: Scope, program: string): Promise<string> {
  const [port, management] = [await freePort(), await freePort()]
  const none = ['-http01', '', '-https01', '', '-tlsalpn01', '']
  const args = ['-dns01', `127.0.0.1:${port}`, '-management', `127.0.0.1:${management}`, '-defaultIPv4', '127.0.0.1', '-defaultIPv6', '']
  await startTool(scope, program, [...args, ...none], { ports: [port, management] })
  return `127.0.0.1:${port}`
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { ca, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve(text))
    })
    asked.once('error', reject)
    asked.end()
  })
}
