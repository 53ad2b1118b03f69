// How many TLS 1.3 handshakes that resume a session does one CPU second make?
import { handshakeCase } from '../lib/handshake-case.ts'

export const tlsResumed = handshakeCase('tls-resumed', { version: '1.3', key: 'ecdsa', resume: true })
