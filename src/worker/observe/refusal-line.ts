import { abi } from '../../native/abi.ts'

/** In the order of `abi.refusal`. */
const reasons = {
  untrustedProxy: 'its address is not in trustedProxies, and only those may send PROXY headers',
  proxyHeader: 'no valid PROXY header',
  clientHello: 'no valid ClientHello',
  tooSlow: 'too slow',
  addressLimit: 'its address has as many connections as limits.connectionsPerIp allows',
  noRoute: 'no route matches',
  noServer: 'no server can be reached',
  byFunction: 'onConnection closed it, or failed',
  tlsHandshake: 'the TLS handshake failed',
  unknownName: 'no certificate is for the name that it asked for',
} satisfies Record<Exclude<keyof typeof abi.refusal, 'count'>, string>

const texts: string[] = []
for (const [name, text] of Object.entries(reasons)) texts[abi.refusal[name as keyof typeof reasons]] = text

/**
 * The log line of a connection that was closed before anything was forwarded. `untold` is how many further ones there were that
 * got no line of their own, because lines are limited per second.
 */
export function refusalLine(listener: string, reason: number, client: string, why: string, untold: number): string {
  const detail = why === '' ? '' : `: ${why}`
  const more = untold === 0 ? '' : ` (and ${untold} more refused before)`
  return `weir: listener ${listener}: closed a connection from ${client}: ${texts[reason] ?? 'refused'}${detail}${more}\n`
}
