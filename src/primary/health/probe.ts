/** What all probes share: their answer, their words for errors, their deadline. */
import type { HealthConfig } from '../../shared/config/model.ts'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import type { ServerTls } from '../../shared/ipc/tls-material.ts'

export interface ProbeConfig {
  check: HealthConfig['check']
  /** The Host of an HTTP check that names none. */
  authority: string
  sendProxyProtocol: 'off' | 'v1' | 'v2'
  /** null, or not given: in plain. */
  tls?: ProbeTls | null
}

/** How a probe speaks TLS. */
export interface ProbeTls {
  /** With the certificates of this moment; null when the server is known no more. */
  now(): ServerTls | null
}

/**
 * HAProxy's words, which its tools know: L4 for connecting, L6 for TLS, L7 for the answer; OK passed, CON refused or unreachable, TOUT too late,
 * RSP no valid answer, STS a status or body that was not wanted, OKC passed but asks for a drain. SOCKERR is a fault on our side,
 * such as no free descriptor: it says nothing about the server.
 */
export type ProbeCode =
  | 'L4OK'
  | 'L4CON'
  | 'L4TOUT'
  | 'L6OK'
  | 'L6TOUT'
  | 'L6RSP'
  | 'L7OK'
  | 'L7OKC'
  | 'L7TOUT'
  | 'L7RSP'
  | 'L7STS'
  | 'SOCKERR'

export interface ProbeOutcome {
  ok: boolean
  code: ProbeCode
  /** Of an HTTP answer. */
  status?: number
  /** A few words for people, such as `connection refused`. */
  reason: string
  /** The server asks to be drained. */
  drain?: true
}

export interface ProbeResult extends ProbeOutcome {
  latencyMs: number
}

/**
 * Asks one address. Never rejects. When it settles, nothing of it is left but a connection that is kept for the next time, or one
 * that is closing within a second.
 */
export type Probe = (address: ResolvedAddress, config: ProbeConfig, timeoutMs: number, signal: AbortSignal) => Promise<ProbeResult>

/** A probe that runs. */
export interface RunningProbe {
  /** Lets go of all that it holds; called once, at its end. */
  release(): void
  /** The outcome when its time is over. */
  late(): ProbeOutcome
}

const ownFaults = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])
const reasons: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  ENOENT: 'no such socket',
  EAGAIN: 'its accept queue is full',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EMFILE: 'no free descriptor in weir',
  ENFILE: 'no free descriptor on this machine',
  EADDRNOTAVAIL: 'no free local port',
}

/** What an error of a socket says about the server. */
export function failureOf(error: NodeJS.ErrnoException): ProbeOutcome {
  const code = error.code ?? ''
  const reason = reasons[code] ?? (code === '' ? error.message : code)
  if (ownFaults.has(code)) return { ok: false, code: 'SOCKERR', reason }
  return { ok: false, code: error.syscall === 'connect' ? 'L4CON' : 'L7RSP', reason }
}

/** For `net.connect` and `http.request`. */
export function destinationOf(address: ResolvedAddress): { host: string; port: number } | { path: string } {
  return 'path' in address ? { path: address.path } : { host: address.ip, port: address.port }
}

const proxyHeaders = {
  off: null,
  v1: Buffer.from('PROXY UNKNOWN\r\n', 'latin1'),
  // The command LOCAL without addresses: the connection is the balancer's own.
  v2: Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
}

/** What begins a connection that is made for no client; null when connections begin with nothing. */
export function proxyHeader(version: 'off' | 'v1' | 'v2'): Buffer | null {
  return proxyHeaders[version]
}

/** Runs a probe until it calls `end`, throws at once, is aborted, or its time is over. Never rejects. */
export function runProbe(
  timeoutMs: number,
  signal: AbortSignal,
  begin: (end: (outcome: ProbeOutcome) => void) => RunningProbe,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    let isOver = false
    let running: RunningProbe | null = null
    const end = (outcome: ProbeOutcome) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      running?.release()
      resolve({ ...outcome, latencyMs: performance.now() - startedAt })
    }
    const abort = () => end({ ok: false, code: 'SOCKERR', reason: 'the check was ended' })
    // When this process was held up, answers wait in the sockets: they are read before the deadline is judged.
    const timer = setTimeout(() => setImmediate(() => running !== null && end(running.late())), timeoutMs)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    try {
      running = begin(end)
    } catch (error) {
      end(failureOf(error as NodeJS.ErrnoException))
    }
    if (isOver) running?.release()
  })
}
