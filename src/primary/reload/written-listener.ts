import { formatDuration, formatSize } from '../../shared/base/units.ts'
import type { ListenerConfig } from '../../shared/config/model.ts'
import { given, list, type WrittenSection } from './written.ts'
import { writtenPages } from './written-root.ts'
import { writtenListenerTls } from './written-tls.ts'

/** The options of a listener but for its addresses and its routes, which are compared one by one. */
export function writtenListener(listener: ListenerConfig): WrittenSection {
  const { limits, timeouts } = listener
  return given({
    protocol: listener.protocol,
    tls: listener.tls === null ? null : writtenListenerTls(listener.tls),
    proxyProtocol: listener.proxyProtocol ? 'on' : 'off',
    trustedProxies: list(listener.trustedProxies),
    forwardedHeaders: list(listener.forwardedHeaders),
    serverTiming: listener.serverTiming ? 'on' : 'off',
    proxyStatus: listener.proxyStatus ? 'on' : 'off',
    securityHeaders: list(listener.securityHeaders.map(([name, value]) => `${name}: ${value}`)),
    limits: {
      connections: String(limits.connections),
      connectionsPerIp: String(limits.connectionsPerIp ?? 'none'),
      headerBytes: formatSize(limits.headerBytes),
      headers: String(limits.headers),
      bodyBytes: limits.bodyBytes === null ? 'none' : formatSize(limits.bodyBytes),
    },
    timeouts: {
      handshake: formatDuration(timeouts.handshakeMs),
      header: formatDuration(timeouts.headerMs),
      body: formatDuration(timeouts.bodyMs),
      keepAlive: formatDuration(timeouts.keepAliveMs),
      write: formatDuration(timeouts.writeMs),
    },
    errorPages: writtenPages(listener.errorPages),
  })
}
