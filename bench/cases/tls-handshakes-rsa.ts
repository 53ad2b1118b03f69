// How many full TLS 1.3 handshakes, with an RSA key of 2048 bits, does one CPU second make?
import { handshakeCase } from '../lib/handshake-case.ts'

export const tlsHandshakesRsa = handshakeCase('tls-handshakes-rsa', { version: '1.3', key: 'rsa', resume: false })
