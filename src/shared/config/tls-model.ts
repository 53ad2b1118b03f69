/** The part of the config model that is about TLS; see model.ts. Paths are absolute; secrets are in files, never in here. */

/** How a listener ends TLS. At least one of `certificates`, `acme` and `internal` is there. */
export interface ListenerTls {
  certificates: CertificateFiles[]
  acme: AcmeConfig | null
  internal: InternalCaConfig | null
  minVersion: TlsVersion
  maxVersion: TlsVersion
  /** As OpenSSL writes them: of TLS 1.2, of 1.3, and the groups of the key exchange. */
  ciphers: string
  cipherSuites: string
  groups: string
  /** What a client gets that asks for another name, or none: the first certificate, or an alert. */
  unknownName: 'default' | 'reject'
  /** The best first; empty: ALPN is not answered. */
  alpn: string[]
  tickets: boolean
  /** null: clients are not asked for certificates. */
  clientAuth: ClientAuth | null
}

export type TlsVersion = '1.2' | '1.3'

export interface CertificateFiles {
  cert: string
  key: string
  /** A file is a response in DER. */
  ocsp: 'fetch' | 'off' | { file: string }
  /** Where it stands in the config, for messages. */
  place: { path: string; line: number }
}

export interface ClientAuth {
  mode: 'optional' | 'required'
  /** Authorities whose certificates are believed. */
  ca: string
  /** Names of request headers; '' is none. */
  headers: { subject: string; fingerprint: string }
}

/** Certificates that an ACME server issues (RFC 8555). */
export interface AcmeConfig {
  /** Of the listener, for messages. */
  listener: string
  /** null: the account has no address. */
  email: string | null
  /** Lower case; at least one. A wildcard is not among them. */
  domains: string[]
  /** URL of the directory. */
  directory: string
  /** Authorities that are believed when the directory is asked; null: those of the system. */
  directoryCa: string | null
  /** Folder of accounts, keys and certificates. */
  storage: string
  challenge: 'http-01' | 'tls-alpn-01'
  /** Share of a certificate's life that is left when it is renewed, from 0 to 1. */
  renewBefore: number
}

/** Certificates of an authority of our own, for development. */
export interface InternalCaConfig {
  /** Of the listener, for messages. */
  listener: string
  /** Lower case DNS names, wildcards, and IP addresses; at least one. */
  names: string[]
  /** Folder of the authority's key and certificate. */
  storage: string
}

/** How TLS is spoken to the servers of an upstream. */
export interface UpstreamTls {
  verify: boolean
  /** Authorities that are believed; null: those of the system. */
  ca: string | null
  /** null: the host of each server's address. */
  serverName: string | null
  /** Shown to servers that ask for one. */
  certificate: { cert: string; key: string } | null
  minVersion: TlsVersion
  maxVersion: TlsVersion
  ciphers: string
  cipherSuites: string
  groups: string
}
