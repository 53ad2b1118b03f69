// How many full TLS 1.3 handshakes, with an ECDSA key, does one CPU second make?
import { handshakeCase } from '../lib/handshake-case.ts'

export const tlsHandshakes = handshakeCase('tls-handshakes', { version: '1.3', key: 'ecdsa', resume: false })
