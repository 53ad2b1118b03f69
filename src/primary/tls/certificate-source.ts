import type { TlsCertificate } from '../../native/contract.ts'

/** Where certificates come from that are in no file of the config: an ACME server, an authority of our own. */
export interface CertificateSource {
  /** Certificates that are there now; may be empty. */
  current(): readonly TlsCertificate[]
  /** Certificates for clients that offer `acme-tls/1` (RFC 8737), by name. */
  challenges(): readonly { name: string; certificate: TlsCertificate }[]
  /** Key authorizations of HTTP-01 (RFC 8555 8.3) by token. */
  tokens(): Readonly<Record<string, string>>
  /** Begins to get and renew; never throws, never waits: what goes wrong is logged. */
  start(): void
  /** Ends timers and what is under way; nothing is told afterwards. */
  close(): void
}

/** What a source tells. */
export interface SourceEvents {
  /** `current`, `challenges` or `tokens` answer something else than before. */
  changed(): void
  /** A sentence without secrets; `weir: ` is put before it. */
  log(line: string): void
}

/** OCSP responses to staple (RFC 6066 8) that are fetched from the authorities' responders. */
export interface OcspStaples {
  /** A response in DER that is good now; null: there is none. */
  stapleFor(certificate: TlsCertificate): Uint8Array | null
  /** These certificates want responses from now on, and no others. */
  watch(certificates: readonly TlsCertificate[]): void
  start(): void
  close(): void
}
