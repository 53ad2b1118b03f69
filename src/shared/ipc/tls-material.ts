import type { TlsClientOptions, TlsServerOptions } from '../../native/contract.ts'

/** All that workers need to speak TLS. Secrets are in it: it travels over IPC only, and is never logged or shown. */
export interface TlsMaterial {
  /** By listener name; a listener without one speaks no TLS. */
  listeners: Record<string, TlsServerOptions>
  /** By `upstream/server`; likewise. */
  servers: Record<string, ServerTls>
  /** 80 bytes each; the first encrypts. */
  ticketKeys: Uint8Array[]
  /** ACME HTTP-01: key authorizations by token; answered under /.well-known/acme-challenge/ on every http listener, before routes. */
  challenges: Record<string, string>
}

/** How TLS is spoken to one server. */
export interface ServerTls {
  /** Of all of it. */
  id: string
  serverName: string
  /** One object for all servers of an upstream: it is sent once, where many have the same authorities. */
  common: CommonTls
}

export type CommonTls = Omit<TlsClientOptions, 'id' | 'serverName'>

export const noTls = (): TlsMaterial => ({ listeners: {}, servers: {}, ticketKeys: [], challenges: {} })
