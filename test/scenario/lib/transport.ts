/**
 * How scenarios of HTTP reach the balancer. With WEIR_TEST_TRANSPORT=tls every `http` listener of theirs is an `https` one, and what
 * connects to it speaks TLS. The certificate is in the folder WEIR_TEST_CERTIFICATES, or made for this process. Programs that take an URL
 * trust it when NODE_EXTRA_CA_CERTS and SSL_CERT_FILE name its authority, as test/scenario/tls-transport.test.ts does.
 */
import { readFileSync } from 'node:fs'
import { type NetConnectOpts, connect as openTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { createSecureContext, connect as openTls, type SecureContext } from 'node:tls'

/** What the certificate is for: the ways in which scenarios name this machine. */
export const TRANSPORT_NAMES = ['localhost', '127.0.0.1', '::1', '127.0.0.2']

export const isTls = process.env['WEIR_TEST_TRANSPORT'] === 'tls'

export interface TransportFiles {
  ca: string
  cert: string
  key: string
}

type Settings = Record<string, unknown>

/** Ports of the listeners that were made `https`. */
const secured = new Set<number>()
let files: TransportFiles | undefined
let trust: SecureContext | undefined

/** Has the certificate ready that the functions below need. */
export async function prepareTransport(): Promise<void> {
  if (!isTls) return
  files ??= await findFiles()
  trust ??= createSecureContext({ ca: readFileSync(files.ca) })
}

/** The config with its `http` listeners made `https`; as it is when the transport is plain, or when it is a text. */
export function onTransport(config: Settings): Settings
export function onTransport(config: Settings | string): Settings | string
export function onTransport(config: Settings | string): Settings | string {
  if (files === undefined || typeof config === 'string') return config
  return { ...config, ...securedListeners(config, { cert: files.cert, key: files.key }) }
}

/** Remembers that a listener which was started at this address, as the balancer printed it, speaks TLS. */
export function noteAddress(printed: string): void {
  if (isTls && printed.startsWith('https://')) notePort(Number(new URL(printed).port))
}

function notePort(port: number): void {
  if (port > 0) secured.add(port)
}

/** A connection, over TLS to a listener that was made `https`; `raw` is the socket below, the same one without TLS. */
export function openSocket(options: NetConnectOpts & { noDelay?: boolean; allowHalfOpen?: boolean }): { socket: Socket; raw: Socket } {
  const raw = openTcp(options as NetConnectOpts)
  if (!('port' in options) || !secured.has(options.port)) return { socket: raw, raw }
  if (trust === undefined) throw new Error('prepareTransport() was not awaited')
  const socket = openTls({ socket: raw, secureContext: trust, host: '127.0.0.1' })
  raw.on('error', () => undefined)
  return { socket, raw }
}

/** Event after which a socket of `openSocket` can be used. */
export function openEvent(socket: Socket): 'connect' | 'secureConnect' {
  return 'encrypted' in socket ? 'secureConnect' : 'connect'
}

async function findFiles(): Promise<TransportFiles> {
  const folder = process.env['WEIR_TEST_CERTIFICATES']
  if (folder !== undefined) return { ca: join(folder, 'ca.pem'), cert: join(folder, 'server.pem'), key: join(folder, 'server.key') }
  // Most runs need neither of these, and they take a moment to load.
  const { authority } = await import('./certificates.ts')
  const { file } = await import('./file-scope.ts')
  const ca = await authority(file)
  const { path, keyPath } = await ca.issue({ names: TRANSPORT_NAMES })
  return { ca: ca.path, cert: path, key: keyPath }
}

function securedListeners(config: Settings, certificate: { cert: string; key: string }): Settings {
  const listeners = config['listeners'] as Record<string, Settings> | undefined
  if (listeners === undefined || listeners === null) return {}
  const isHttp = (listener: Settings) => (listener['protocol'] ?? 'http') === 'http'
  const secure = (listener: Settings) => {
    for (const bind of [listener['bind']].flat()) notePort(Number(/:(\d+)$/.exec(String(bind))?.[1] ?? 0))
    return { ...listener, protocol: 'https', tls: { certificates: [certificate] } }
  }
  return {
    listeners: Object.fromEntries(Object.entries(listeners).map(([name, one]) => [name, isHttp(one) ? secure(one) : one])),
  }
}
