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
