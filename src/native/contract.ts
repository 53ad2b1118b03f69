/** THE CONTRACT between TypeScript and C++: the exact shape of the addon's exports. C++ twin: native/binding/. */

export interface Addon {
  readonly abiVersion: number
  /** Opens a listening socket. Throws an Error with an errno name as `code`. */
  openListener(at: { host: string; port: number } | { path: string }, backlog: number): { fd: number; port: number }
  closeFd(fd: number): void
  /** Two ends of a socket for descriptors, closed on exec: ours, and one for a worker to inherit. */
  createChannel(): [number, number]
  /** Sends descriptors; they stay open here. Throws when the other end is gone (`code` EPIPE) or has been full for 1 s (ETIMEDOUT). */
  sendFds(channel: number, fds: readonly number[]): void
  /**
   * Takes so many descriptors that were sent, in their order, closed on exec. Waits 1 s at most for each 64 of them. Throws, and keeps none:
   * ETIMEDOUT, ECONNRESET (the other end is gone), EMFILE, EPROTO (what was sent together is not what is asked for).
   */
  receiveFds(channel: number, count: number): number[]
  /** Where a listening stream socket listens; a path that begins with @ is an abstract one. Null for anything else. */
  socketAddress(fd: number): { host: string; port: number } | { path: string } | null
  /** Sends one datagram to a unix socket (sd_notify(3)); a path that begins with @ is an abstract one. Never waits; false when nobody takes it. */
  notify(path: string, text: string): boolean
  /** The process at the other end of a unix socket when it was connected; its pid is 0 when we cannot see it. Null for anything else. */
  peerOf(fd: number): { pid: number; uid: number } | null
  /** A memfd for the counters that primary and workers share. */
  createBoard(workers: number): number
  /** An eventfd by which other workers wake one of them. */
  createWaker(): number
  /** The board in this process. Once per process; the engine of a worker maps its own. */
  mapBoard(fd: number, workers: number): ArrayBuffer
  readonly Engine: EngineConstructor
  readonly RecordReader: RecordReaderConstructor
}

/** Reads what workers keep of ended exchanges and tunnels, and formats it. Usable in any thread, one object per thread. */
export type RecordReaderConstructor = new (options: { boardFd: number; workers: number }) => RecordReader

export interface RecordFormat {
  kind: 'json' | 'combined'
  /** Numbers of `abi.recordField`, for JSON. */
  fields: readonly number[]
  /** Parameters of the query whose values are replaced by `redacted`; names in lower case. */
  redactedQuery: readonly string[]
  /** Names of the header fields that are captured, in the order of `Engine.recordHeaders`, and whether each value may be written. */
  headers: readonly { name: string; isSecret: boolean }[]
  /** Share of the records that ended well, from 0 to 1; chosen by their request id or number. All others are always written. */
  share: number
  /** Records that took at least so long in total, in microseconds, are always written, too; 0 is no exception. */
  slowUs?: number
  /** None without a `traceparent`. */
  onlyTraced?: boolean
}

export interface RecordReader {
  /** What a row of the board is called from now on; `''` for none. A server is `upstream/server`. */
  name(kind: 'listener' | 'route' | 'server', row: number, name: string): void
  /** A place to read from, behind the latest records, or with `fromOldest` before those that are still there. At most 16 at a time. */
  open(format: RecordFormat, fromOldest: boolean): number
  /** What is read from now on has another form; none is lost or repeated. */
  reformat(cursor: number, format: RecordFormat): void
  close(cursor: number): void
  /** Writes whole lines of what is new into `into`, which has room for one line at least (64 KiB); answers how many bytes. 0: nothing new. */
  read(cursor: number, into: Uint8Array): number
  /** Records that were overwritten before this cursor came to them, and those that it has read, since it was opened. */
  counts(cursor: number): { lost: number; read: number }
}

/** Each returns a number of `abi.verdict`; what belongs to it is in `lent` or was staged. They must not throw. */
export interface Decisions {
  decide(path: string): number
  afterFailure(): number
  finished(): number
  /** The server is late and the plan hedges: `forward` asks another one, too. */
  hedge(): number
  /** A connection of a `tcp` or `tls` listener is here. `alpn`: names joined by commas. */
  decideTunnel(serverName: string, alpn: string): number
  /** Its server could not be reached; nothing was sent. */
  tunnelFailed(): number
  /** A tunnel ended that waited or had several attempts. */
  tunnelEnded(): number
  /** A server has room again, and this worker has exchanges or tunnels that wait. */
  room(): number
  /** A connection was closed before anything was forwarded. `reason` of `abi.refusal`; at most some calls per second. */
  refused(listener: number, reason: number, client: string, why: string, notToldBefore: number): void
}

export type EngineConstructor = new (
  options: { boardFd: number; workers: number; column: number; wakers: number[] },
  decisions: Decisions,
) => Engine

export interface ListenerOptions {
  /** Of `abi.protocol`. */
  protocol: number
  proxyProtocol: boolean
  /** Of one client address, over all workers; 0 is no limit. */
  connectionsPerIp: number
  headerBytes: number
  headers: number
  bodyBytes: number | null
  connections: number
  headerMs: number
  bodyMs: number
  keepAliveMs: number
  writeMs: number
  /** Bits of `abi.forwarded`. */
  forwarded: number
  trustedProxies: string[]
  pages: { status: number; contentType: string; body: string }[]
  /** Headers of responses about the time that they took (W3C Server Timing), and how they came about (RFC 9209). */
  serverTiming: boolean
  proxyStatus: boolean
  /**
   * Names of the request headers by which servers learn of a verified client certificate: its subject (RFC 4514), and the SHA-256 of the
   * whole in lower-case hex. What a client sends under these names is removed. '' is none.
   */
  clientCertificateHeaders: { subject: string; fingerprint: string }
  /** Headers of responses and of our own answers that have none of that name. */
  responseDefaults: { name: string; value: string }[]
}

export interface ServerOptions {
  /** `upstream/server`. */
  name: string
  hostHeader: string
  /** In the order to try; one that works is tried first from then on. */
  addresses: ({ ip: string; port: number } | { path: string })[]
  /** 0 is no limit. Counted over all workers. */
  maxConnections: number
  idle: number
  idleTimeoutMs: number
  /** Row whose waiting count stands for the whole upstream; -1: nobody ever waits for it. */
  queueSlot: number
  /** Statuses that passive health counts as failures, inclusive. */
  failing: [number, number][]
}

/** A certificate with the chain behind it, and its key: PEM. `ocsp`: a response to staple (RFC 6066 8), DER. */
export interface TlsCertificate {
  chain: string
  key: string
  ocsp: Uint8Array | null
}

/** How a listener ends TLS. Secrets are in it: it is never logged or shown. */
export interface TlsServerOptions {
  /** Of all that follows; options with the same one change nothing. */
  id: string
  /** Certificates for the same names: at most one of each kind of key in a set. At least one set. */
  sets: TlsCertificate[][]
  /** Lower case; `*.example.com` stands for one label. An exact name comes before a wildcard. */
  names: { name: string; set: number }[]
  /** The set for a name that is unknown or missing; -1 refuses the connection with an alert. */
  defaultSet: number
  /** 0x0303 is TLS 1.2, 0x0304 is 1.3. */
  minVersion: number
  maxVersion: number
  /** As OpenSSL writes them: of TLS 1.2, of 1.3, and the groups of the key exchange. '' leaves what OpenSSL has. */
  ciphers: string
  cipherSuites: string
  groups: string
  /** What we speak, the best first; a client that offers others only is refused. Empty: ALPN is not answered. */
  alpn: string[]
  tickets: boolean
  /** Of `abi.clientAuth`. */
  clientAuth: number
  /** PEM of the authorities whose client certificates are believed. */
  clientCa: string
  /** Sessions are resumed only where this is the same. */
  sessionContext: string
  /** For the handshake, ClientHello included. */
  handshakeMs: number
  /** Certificates for clients that offer `acme-tls/1` and nothing else (RFC 8737), by name. */
  challenges: { name: string; certificate: TlsCertificate }[]
}

/** How TLS is spoken to a server. */
export interface TlsClientOptions {
  /** Of all that follows. */
  id: string
  verify: boolean
  /** PEM of the authorities that are believed. */
  ca: string
  /** Sent as SNI, and what the certificate has to be for; an IP address is verified and not sent. */
  serverName: string
  /** Shown to servers that ask for one. */
  certificate: TlsCertificate | null
  minVersion: number
  maxVersion: number
  ciphers: string
  cipherSuites: string
  groups: string
}

export interface TemplatePart {
  /** Of `abi.placeholder`. */
  kind: number
  text: string
}

export type HeaderOperation = { op: 'set' | 'add'; name: string; value: TemplatePart[] } | { op: 'remove'; name: string }

export interface PlanOptions {
  host: string
  strip: string
  add: string
  upstream: string
  request: HeaderOperation[]
  response: HeaderOperation[]
  connectMs: number
  firstByteMs: number
  idleMs: number
  tunnelMs: number
  replayBytes: number
  responseHeadBytes: number
  /** Call `finished` when an exchange of this plan ends. */
  tellFinished: boolean
  /** When a second server is asked, too; 0 is never. */
  hedgeMs: number
  /** From the head to the end of the response; 0 is no limit. */
  totalMs: number
  /** Statuses about which `afterFailure` is asked before the response is passed on. */
  retryStatuses: [number, number][]
  /** Of `abi.sendProxy`. */
  sendProxy: number
}

/** What happens to the connections of one L4 route towards one upstream. */
export interface TunnelPlanOptions {
  connectMs: number
  /** Without a byte in either direction. */
  idleMs: number
  /** Of `abi.sendProxy`. */
  sendProxy: number
  /** Row of the board. */
  route: number
}

/** One tunnel, for people who wait for it to end. */
export interface TunnelFacts {
  client: string
  listener: number
  server: number
  ageMs: number
  idleMs: number
  /** To the server, and from it. */
  bytesSent: number
  bytesReceived: number
}

export type HeadField = 'method' | 'host' | 'path' | 'query' | 'target' | 'clientIp' | 'peer' | 'requestId'

export interface Engine {
  /** Facts of the head that is decided on, and the numbers of a verdict. Layout: `abi.lent`. */
  readonly lent: Int32Array
  /** The board. Layout: `abi.board`. */
  readonly board: ArrayBuffer
  /** Starts to watch sockets. Keeps the process alive until `close`. */
  start(): void
  configureListener(index: number, options: ListenerOptions): void
  /**
   * From now on new connections of this listener begin with a TLS handshake, or with null do not; those that are there go on. What is
   * behind it may be `http` or `tcp`. Throws an Error with the reason in one sentence when OpenSSL does not take it; all stays as it was.
   */
  setListenerTls(index: number, options: TlsServerOptions | null): void
  /** New connections to this server speak TLS. Idle ones are closed when that changes. Throws as `setListenerTls`. */
  setServerTls(slot: number, options: TlsClientOptions | null): void
  /** Keys of session tickets, 80 bytes each: the first one encrypts, all decrypt. None: tickets of this worker are its own. */
  setTicketKeys(keys: readonly Uint8Array[]): void
  /**
   * Accepts from a listening socket, which is the engine's from now on. `port` is what it was bound to; 0 for a unix socket. One that
   * it listens to already moves to this listener and port, for the connections to come.
   */
  listen(index: number, fd: number, port: number): void
  /** Accepts no more from this socket and closes it here, also when it was never listened to; what it accepted lives on. */
  unlisten(fd: number): void
  /**
   * The listener is no more: its HTTP connections leave as with `drain`, those that have not said what they are get 1 s, its tunnels
   * live on. It stays configured for them.
   */
  retireListener(index: number, spreadMs: number): void
  /**
   * The index is another listener's now, which `configureListener` alone does not say: new connections stay. What is left of the one
   * before leaves at once or with its next response.
   */
  reviveListener(index: number): void
  defineServer(slot: number, options: ServerOptions): void
  removeServer(slot: number): void
  /**
   * false: idle connections to this server are closed now, and none is kept after its exchange. `defineServer` leaves it as it is; it is
   * true again after `removeServer` and for a server of another name. Nothing happens where none is defined.
   */
  setReusable(slot: number, isReusable: boolean): void
  definePlan(id: number, options: PlanOptions): void
  dropPlan(id: number): void
  defineTunnelPlan(id: number, options: TunnelPlanOptions): void
  /** Tunnels that run on it keep it. */
  dropTunnelPlan(id: number): void
  /** Value of a request field, several joined; `undefined` when it was not sent or the head is not lent any more. */
  header(index: number, generation: number, name: string): string | undefined
  field(index: number, generation: number, which: HeadField): string | undefined
  /** Value of a TLV of the PROXY header that the exchange's connection began with; latin1. */
  tlv(index: number, generation: number, type: number): string | undefined
  /** The same of a tunnel's client, while the tunnel lives. */
  tunnelField(index: number, generation: number, which: 'clientIp'): string | undefined
  tunnelField(index: number, generation: number, which: 'clientPort'): number | undefined
  tunnelTlv(index: number, generation: number, type: number): string | undefined
  /** Lower case, without port. */
  hostName(id: number): string
  /** Changes the request that goes to the server. False when the exchange is gone. */
  setHeader(index: number, generation: number, name: string, value: string | null): boolean
  setTarget(index: number, generation: number, target: string): boolean
  /** A line that the response of this exchange gets beside the server's own, once per name. */
  setResponseHeader(index: number, generation: number, name: string, value: string): boolean
  /** The answer that a verdict `answer` gives. `headers`: whole lines with CRLF. Without a body: the listener's page for the status. */
  stageAnswer(status: number, headers: string, contentType: string, body: string | undefined): void
  /** The verdict on an exchange that waits. False when it is gone. */
  resume(index: number, generation: number, verdict: number): boolean
  /** The same for a tunnel that waits. */
  resumeTunnel(index: number, generation: number, verdict: number): boolean
  /** At most `most` tunnels of one server, or of all with -1. */
  listTunnels(server: number, most: number): TunnelFacts[]
  /** Closes all tunnels of one server; returns how many. */
  cutTunnels(server: number): number
  /**
   * Breaks off all exchanges on one server, as if it had reset their connections: `afterFailure` is asked, or the client sees a broken
   * response. Health counts nothing. Returns how many; inside a decision nothing happens, and that is 0.
   */
  cutExchanges(server: number): number
  stopAccepting(): void
  /**
   * Client connections take no further request: over `spreadMs` (at once when not given), each in its turn, idle ones are closed and
   * busy ones told by `Connection: close` in their next response. Who connected less than 1 s ago and has not spoken gets that second.
   * Tunnels live on. A second call can shorten the time, not prolong it.
   */
  drain(spreadMs?: number): void
  close(): void
  /** Connections and tunnels that are open. */
  openCount(): number
  usage(): Record<'clients' | 'arrivals' | 'exchanges' | 'upstreamConnections' | 'tunnels' | 'buffers' | 'pipes' | 'timers', number>
  /** Request header fields whose values are kept in records, in this order; at most 8. */
  recordHeaders(names: readonly string[]): void
  /** The share, from 0 to 1, of requests without a W3C traceparent that begin a trace; one with it goes on. Below 0 it is passed on unread. */
  trace(share: number): void
}
