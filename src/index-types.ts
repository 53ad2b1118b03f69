/** The types that a TypeScript config sees: what `onRequest` and `pick` of a route are given and may return. */

/** One request, readable while the call lasts, and for an async function until its promise settles. */
export interface Request {
  readonly method: string
  /** Lower case, without port. */
  readonly host: string
  /** Path as it is routed: dot segments resolved; without the query. */
  readonly path: string
  /** Query without the '?', '' when there is none. */
  readonly query: string
  /** Address of the client; from X-Forwarded-For only when the peer is trusted. */
  readonly clientIp: string
  /** First value of a header (any case), undefined when it was not sent. */
  header(name: string): string | undefined
  cookie(name: string): string | undefined
  queryParameter(name: string): string | undefined
  /** Value of a TLV of the PROXY header by its type, e.g. 0xea; latin1 text. Undefined when there is none. */
  proxyTlv(type: number): string | undefined
  /** Sets a header of the request that goes to the server; null removes it. Hop-by-hop names are refused with an error. */
  setHeader(name: string, value: string | null): void
  /** Replaces path and query of the request that goes to the server: must start with '/'. */
  setTarget(target: string): void
}

/** What `onRequest` may return: nothing to go on as configured, an answer, a redirect, or another upstream. */
export type RequestOutcome =
  | undefined
  | void
  | { answer: { status: number; body?: string; headers?: Record<string, string> } }
  | { redirect: { to: string; status?: 301 | 302 | 303 | 307 | 308 } }
  | { upstream: string }

/** Runs in the data path for each request of its route. A promise holds this request only. An exception becomes a 500. */
export type RequestFunction = (request: Request) => RequestOutcome | Promise<RequestOutcome>

/** One server that may be picked now. */
export interface Candidate {
  readonly name: string
  readonly address: string
  readonly weight: number
  /** Exchanges in flight on it now. */
  readonly inFlight: number
}

/** Chooses a server: one of `servers`, or undefined to let the upstream's own policy choose. */
export type PickFunction = (request: Request, servers: readonly Candidate[]) => Candidate | undefined

/** One connection of a `tcp` or `tls` listener, readable while the call lasts, and for an async function until its promise settles. */
export interface Connection {
  /** Name of the listener. */
  readonly listener: string
  /** Address of the client, as a trusted PROXY header says where there is one; '' for a unix socket. */
  readonly clientIp: string
  readonly clientPort: number
  /** Port that it was accepted on; 0 for a unix socket. */
  readonly localPort: number
  /** Server name of the ClientHello, lower case; '' when there is none. */
  readonly sni: string
  /** Protocols that the ClientHello offers. */
  readonly alpn: readonly string[]
  /** Value of a TLV of the PROXY header by its type, e.g. 0xea; latin1 text. Undefined when there is none. */
  proxyTlv(type: number): string | undefined
}

/** What `onConnection` may return: nothing to go on as configured, another upstream, or to close the connection. */
export type ConnectionOutcome = undefined | void | { upstream: string } | { close: true }

/** Runs for each connection of its route. A promise holds this connection only. An exception closes it. */
export type ConnectionFunction = (connection: Connection) => ConnectionOutcome | Promise<ConnectionOutcome>

/** The key of a consistent hash: requests with the same key go to the same server. */
export type HashKeyFunction = (request: Request) => string
