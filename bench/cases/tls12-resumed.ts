// How many TLS 1.2 handshakes that resume a session does one CPU second make?
import { handshakeCase } from '../lib/handshake-case.ts'

export const tls12Resumed = handshakeCase('tls12-resumed', { version: '1.2', key: 'ecdsa', resume: true })
