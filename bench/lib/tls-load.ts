/** The clients of the TLS cases. They offer one version, one cipher and one curve: see load/tls_client.h. */

import { join } from 'node:path'
import { type ClosedLoop, programs, whileHeld } from './load.ts'
import { output } from './processes.ts'

export type TlsVersion = '1.2' | '1.3'

export interface TlsLoad extends ClosedLoop {
  version: TlsVersion
}

export interface HandshakeLoad extends TlsLoad {
  /** All but the first resume its session. */
  resume: boolean
  /** Each connection makes one small request before it ends. */
  request?: boolean
}

/** Times in microseconds, from connecting to the end of the handshake as the client sees it. */
export interface HandshakeResult {
  completed: number
  resumed: number
  /** Connections that were reset after the client had ended them. */
  resets: number
  seconds: number
  /** Completed per second. */
  rate: number
  p50: number
  p99: number
  max: number
}

/** See bench/load/tls_handshakes.cc. Rejects when any handshake failed, or was not of the kind that was wanted. */
export async function handshakes(options: HandshakeLoad): Promise<HandshakeResult> {
  const flags = ['--resume', options.resume ? 1 : 0, '--request', options.request ? 1 : 0]
  const result: HandshakeResult = JSON.parse(
    await output(options.core, join(programs, 'tls_handshakes'), [...wordsOf(options), ...flags].map(String)),
  )
  const { completed, resumed } = result
  if (options.resume && resumed < completed * 0.99) throw new Error(`${resumed} of ${completed} handshakes resumed the session`)
  if (!options.resume && resumed > 0) throw new Error(`${resumed} handshakes resumed a session that nobody offered`)
  return result
}

/** Times in microseconds. */
export interface TlsRequestResult {
  completed: number
  /** Received ones, with response heads. */
  bytes: number
  seconds: number
  /** Completed per second. */
  rate: number
  p50: number
  p99: number
  p999: number
  max: number
}

/** See bench/load/tls_requests.cc. Rejects when any request failed. */
export async function tlsRequests(options: TlsLoad): Promise<TlsRequestResult> {
  const words = [...wordsOf(options), '--path', options.path ?? '/'].map(String)
  return JSON.parse(await output(options.core, join(programs, 'tls_requests'), words))
}

/** Opens `connections` TLS connections, makes one request on each, holds them while `during` runs, and lets them go. */
export function whileHoldingTls<T>(options: TlsLoad, during: () => Promise<T>): Promise<T> {
  return whileHeld('tls_hold', options, ['--tls', options.version], during)
}

function wordsOf({ port, version, connections, seconds }: TlsLoad): (string | number)[] {
  return ['--port', port, '--tls', version, '--connections', connections, '--seconds', seconds]
}
