/** TLS of checks: the same options as traffic has, and what goes wrong in words. */
import type { Socket } from 'node:net'
import { isIP } from 'node:net'
import { type ConnectionOptions, connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'
import type { CommonTls, ServerTls } from '../../shared/ipc/tls-material.ts'
import { failureOf, type ProbeOutcome } from './probe.ts'

/** Parsing all authorities of a system takes milliseconds, so one context serves all servers of an upstream. */
const contexts = new WeakMap<CommonTls, SecureContext>()

/** Begins a handshake on a socket; the result ends with it. `connected` is called when the server was found to be the right one. */
export function secured(socket: Socket, tls: ServerTls, connected: () => void): TLSSocket {
  const { serverName, common } = tls
  const options: ConnectionOptions = { socket, secureContext: contextOf(common), rejectUnauthorized: common.verify }
  // A name is sent, an address is only verified (RFC 6066 section 3).
  if (isIP(serverName) === 0 && serverName !== '') options.servername = serverName
  else if (serverName !== '') options.host = serverName
  return connect(options, connected)
}

/** What an error of a handshake, or of the connection below it, says about the server. */
export function tlsFailureOf(error: NodeJS.ErrnoException): ProbeOutcome {
  const code = error.code ?? ''
  const words = reasons[code]
  if (words !== undefined) return { ok: false, code: 'L6RSP', reason: words }
  const { reason } = error as { reason?: string }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO' || code.startsWith('ERR_TLS_'))
    return { ok: false, code: 'L6RSP', reason: `TLS handshake failed: ${reason ?? error.message}` }
  if (code === 'ECONNRESET' && error.syscall !== 'connect')
    return { ok: false, code: 'L6RSP', reason: 'connection closed during the TLS handshake' }
  return failureOf(error)
}

const reasons: Record<string, string> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an authority that is not believed',
  UNABLE_TO_GET_ISSUER_CERT: 'its certificate is of an authority that is not believed',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an authority that is not believed, or its chain is incomplete',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an authority that is not believed, or its chain is incomplete',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  CERT_REVOKED: 'its certificate was revoked',
  INVALID_PURPOSE: 'its certificate is not for servers',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS, or an old version only',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no version of TLS that is allowed',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS that is allowed',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'it refused the TLS handshake',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it wants a client certificate',
}

function contextOf(common: CommonTls): SecureContext {
  const known = contexts.get(common)
  if (known !== undefined) return known
  const { ca, certificate, ciphers, cipherSuites, groups } = common
  const made = createSecureContext({
    ca: ca === '' ? [] : [ca],
    ...(certificate === null ? {} : { cert: certificate.chain, key: certificate.key }),
    minVersion: versionName(common.minVersion),
    maxVersion: versionName(common.maxVersion),
    ciphers: [cipherSuites, ciphers].filter((text) => text !== '').join(':'),
    ...(groups === '' ? {} : { ecdhCurve: groups }),
  })
  contexts.set(common, made)
  return made
}

function versionName(version: number): 'TLSv1.2' | 'TLSv1.3' {
  return version === 0x0303 ? 'TLSv1.2' : 'TLSv1.3'
}
