/** A check that connects and goes away again. */
import { connect, type Socket } from 'node:net'
import { formatDuration } from '../../shared/base/units.ts'
import type { ResolvedAddress } from '../../shared/ipc/protocol.ts'
import { secured, tlsFailureOf } from './check-tls.ts'
import { destinationOf, failureOf, type Probe, type ProbeConfig, type ProbeTls, proxyHeader, runProbe } from './probe.ts'

/** How long a server may take to close its side before the connection is dropped. */
const LINGER_MS = 1000
/** What is read and thrown away meanwhile; a server that says more is cut off. */
const LINGER_BYTES = 65_536

/** Where all greetings go; nobody reads them. */
const discarded = Buffer.allocUnsafeSlow(16_384)

/** Passes as soon as the connection stands, with TLS when the server has shown who it is. */
export const probeTcp: Probe = (address, config, timeoutMs, signal) => {
  const { tls = null } = config
  return tls === null ? probePlain(address, config, timeoutMs, signal) : probeTls(address, { ...config, tls }, timeoutMs, signal)
}

const probePlain: Probe = (address, config, timeoutMs, signal) =>
  runProbe(timeoutMs, signal, (end) => {
    let isConnected = false
    const onread = { buffer: discarded, callback: () => isWelcome(socket) }
    const socket: Socket = connect({ ...destinationOf(address), onread }, () => {
      isConnected = true
      leave(socket, proxyHeader(config.sendProxyProtocol))
      end({ ok: true, code: 'L4OK', reason: 'connected' })
    })
    socket.on('error', (error) => end(failureOf(error)))
    return {
      release: () => isConnected || socket.destroy(),
      late: () => ({ ok: false, code: 'L4TOUT', reason: `no connection in ${formatDuration(timeoutMs)}` }),
    }
  })

function probeTls(address: ResolvedAddress, config: ProbeConfig & { tls: ProbeTls }, timeoutMs: number, signal: AbortSignal) {
  return runProbe(timeoutMs, signal, (end) => {
    const now = config.tls.now()
    if (now === null) throw new Error('the server is known no more')
    let isDone = false
    const socket = connect(destinationOf(address), () => {
      const header = proxyHeader(config.sendProxyProtocol)
      if (header !== null) socket.write(header)
      const secure = secured(socket, now, () => {
        isDone = true
        secure.on('data', () => isWelcome(socket))
        leave(secure, null)
        end({ ok: true, code: 'L6OK', reason: 'TLS connected' })
      })
      secure.on('error', (error) => end(tlsFailureOf(error)))
      secure.on('close', () => end({ ok: false, code: 'L6RSP', reason: 'connection closed during the TLS handshake' }))
    })
    socket.on('error', (error) => end(tlsFailureOf(error)))
    const time = formatDuration(timeoutMs)
    return {
      release: () => isDone || socket.destroy(),
      late: () =>
        socket.connecting
          ? { ok: false, code: 'L4TOUT', reason: `no connection in ${time}` }
          : { ok: false, code: 'L6TOUT', reason: `no TLS handshake in ${time}` },
    }
  })
}

/** Those that say goodbye, in the order of their deadlines. */
let leaving: { socket: Socket; untilMs: number }[] = []
let sweeper: NodeJS.Timeout | undefined

/**
 * Says goodbye and waits for the server to do the same. Closing at once would answer a greeting, such as a database or a mail server
 * sends, with a reset, which servers count and log as a fault of the client.
 */
function leave(socket: Socket, header: Buffer | null): void {
  // Nothing waits for it, an exiting process least of all.
  socket.unref()
  if (header === null) socket.end()
  else socket.end(header)
  leaving.push({ socket, untilMs: performance.now() + LINGER_MS })
  sweeper ??= setInterval(sweep, LINGER_MS / 4).unref()
}

function sweep(): void {
  const now = performance.now()
  leaving = leaving.filter(({ socket, untilMs }) => {
    if (now >= untilMs) socket.destroy()
    return !socket.destroyed
  })
  if (leaving.length > 0) return
  clearInterval(sweeper)
  sweeper = undefined
}

/** What comes is thrown away, up to a point. */
function isWelcome(socket: Socket): boolean {
  if (socket.bytesRead > LINGER_BYTES) socket.destroy()
  return true
}
