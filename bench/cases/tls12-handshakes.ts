// How many full TLS 1.2 handshakes, with an ECDSA key, does one CPU second make?
import { handshakeCase } from '../lib/handshake-case.ts'

export const tls12Handshakes = handshakeCase('tls12-handshakes', { version: '1.2', key: 'ecdsa', resume: false })
