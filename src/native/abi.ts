/**
 * Numbers that TypeScript and C++ share, each written once. `scripts/generate-abi.ts` prints native/base/abi.h from this file;
 * a guard test compares. Add at the end of a list; bump `version` when a meaning changes.
 */
export const abi = {
  version: 5,

  /** What `decide` and `afterFailure` return. `pass`: the response whose status failed goes to the client as it is. */
  verdict: { forward: 0, answer: 1, wait: 2, abort: 3, pass: 4 },

  /** Slots of the Int32Array that carries one head's facts into a decision, and the decision's numbers back. */
  lent: {
    index: 0,
    generation: 1,
    listener: 2,
    method: 3,
    host: 4,
    flags: 5,
    reason: 6,
    failedServer: 7,
    attempts: 8,
    server: 9,
    plan: 10,
    freshConnection: 11,
    detail: 12,
    nowMs: 13,
    localPort: 14,
    publicPort: 15,
    /** Milliseconds since the head was complete, or the connection was accepted. */
    ageMs: 16,
    /** Row of the route that was found; the listener's own row, which is its number, for none. Back from a decision. */
    route: 17,
    /** Why the answer is no response of a server, of `abi.termination`. Back from a decision. */
    termination: 18,
    count: 24,
  },

  /** Bits of `lent.flags`. */
  headFlag: {
    hasQuery: 1,
    pathNeedsNormalizing: 2,
    trustedPeer: 4,
    hasBody: 8,
    upgrade: 16,
    http10: 32,
    unsentIsCertain: 64,
    reusedConnection: 128,
    idempotent: 256,
    replayable: 512,
    unixPeer: 1024,
    /** The client's connection is encrypted. */
    tls: 2048,
  },

  /** Why an attempt failed; `lent.reason` of `afterFailure`. */
  failure: {
    connect: 0,
    connectTimeout: 1,
    reset: 2,
    closed: 3,
    firstByteTimeout: 4,
    invalidResponse: 5,
    busy: 6,
    headTooLarge: 7,
    status: 8,
    /** The TLS handshake with the server failed, or its certificate is not to be believed. */
    tls: 9,
  },

  /**
   * Why a connection was closed before anything was forwarded: `lent.detail` of an `abort` for the ones that TypeScript decides, and
   * the argument of `refused`. Counted per listener, from `listenerCounter.refusedUntrustedProxy` on in this order.
   */
  refusal: {
    untrustedProxy: 0,
    proxyHeader: 1,
    clientHello: 2,
    tooSlow: 3,
    addressLimit: 4,
    noRoute: 5,
    noServer: 6,
    byFunction: 7,
    /** The TLS handshake failed, or was not TLS. */
    tlsHandshake: 8,
    /** No certificate is there for the name that the client asked for. */
    unknownName: 9,
    count: 10,
  },

  /** First bytes that the engine sends to a server: `PlanOptions.sendProxy`. */
  sendProxy: { off: 0, v1: 1, v2: 2 },

  /** What a listener speaks. */
  protocol: { http: 0, tcp: 1, tls: 2 },

  /** Whether a listener asks its clients for certificates. */
  clientAuth: { off: 0, optional: 1, required: 2 },

  /** `lent.method`; 0 is any other method, whose name `method()` reads. */
  method: { other: 0, GET: 1, HEAD: 2, POST: 3, PUT: 4, DELETE: 5, CONNECT: 6, OPTIONS: 7, TRACE: 8, PATCH: 9 },

  /** Parts of a header value that are known only per exchange. */
  placeholder: {
    literal: 0,
    clientIp: 1,
    clientPort: 2,
    host: 3,
    method: 4,
    path: 5,
    scheme: 6,
    requestId: 7,
    server: 8,
    upstream: 9,
    listenerPort: 10,
    query: 11,
  },

  /** Bits of a listener's `forwardedHeaders`. */
  forwarded: { for: 1, proto: 2, host: 4, port: 8, forwarded: 16, realIp: 32, requestId: 64 },

  /** The board: one shared memory map. All offsets in bytes; every counter is a 64-bit float unless it is named otherwise. */
  board: {
    headerBytes: 4096,
    servers: 8192,
    listeners: 64,
    workers: 128,
    // One cache line per server: in-flight over all workers, then how many wait in the queue that this row stands for; int32 that
    // every worker changes atomically.
    totalStride: 64,
    listenerStride: 128,
    serverStride: 256,
    routes: 1024, // the first ones are of listeners, for what reached no route; as many as there are listeners
    routeStride: 128,
    workerBytes: 512,
    addresses: 65536, // rows of a worker's table of connections per client address, 16 bytes each; behind its servers
    seriesBytes: 64, // head of a histogram, see native/stats/histogram_map.h; one per phase of each server, then of each route
    histogramBlocks: 24576, // of a worker, 512 bytes each, given out as values come: 12 MiB at most
    ringBytes: 4194304, // a worker's latest records, see native/observe/record.h
    tlsSessions: 8192, // behind the last column: TLS 1.2 sessions that all workers share, see native/tls/session_cache.h
    tlsSessionBytes: 512,
  },

  /** Parts of the time of an exchange that have a histogram, in microseconds. */
  phase: {
    /** Until it was known which server gets it: in a queue, held, or while a function of the configuration waited. */
    queue: 0,
    /** Of a new connection to the server. */
    connect: 1,
    /** From the request handed over to the first byte of the response. */
    firstByte: 2,
    /** From the request's first bytes being readable to the response's last byte handed to the client's socket. */
    total: 3,
    /** What the balancer itself added: from bytes being readable to their being passed on, in both directions, without waits. */
    overhead: 4,
    count: 5,
  },

  /** How an exchange or a tunnel ended; the words of access log, metrics and Proxy-Status are these names in snake case. */
  termination: {
    ok: 0,
    clientAbort: 1,
    clientHeaderTimeout: 2,
    clientBodyTimeout: 3,
    badRequest: 4,
    headerTooLarge: 5,
    bodyTooLarge: 6,
    noRoute: 7,
    policyDenied: 8,
    rateLimited: 9,
    noServer: 10,
    holdTimeout: 11,
    queueFull: 12,
    queueTimeout: 13,
    connectRefused: 14,
    connectTimeout: 15,
    tlsFailed: 16,
    firstByteTimeout: 17,
    idleTimeout: 18,
    totalTimeout: 19,
    upstreamReset: 20,
    upstreamBadResponse: 21,
    staleConnection: 22,
    retryBudget: 23,
    breakerOpen: 24,
    drainDeadline: 25,
    shutdown: 26,
    functionFailed: 27,
    count: 28,
  },

  /** `RecordHead.kind` of native/observe/record.h. */
  recordKind: { filler: 0, exchange: 1, tunnel: 2 },

  /** Bits of `RecordHead.flags`. */
  recordFlag: { reusedConnection: 1, http10: 2, hedged: 4, unixPeer: 8, waited: 16, truncated: 32, tls: 64, upgraded: 128, answered: 256 },

  /** What a line of a log may say, in the order in which it says it. */
  recordField: {
    time: 0,
    kind: 1,
    worker: 2,
    requestId: 3,
    client: 4,
    peer: 5,
    listener: 6,
    method: 7,
    host: 8,
    path: 9,
    query: 10,
    protocol: 11,
    status: 12,
    termination: 13,
    route: 14,
    upstream: 15,
    server: 16,
    attempts: 17,
    failedAttempts: 18,
    isReused: 19,
    isHedged: 20,
    bytesIn: 21,
    bytesOut: 22,
    queueUs: 23,
    connectUs: 24,
    firstByteUs: 25,
    totalUs: 26,
    overheadUs: 27,
    referer: 28,
    userAgent: 29,
    traceparent: 30,
    headers: 31,
    count: 32,
  },

  /** Float64 index inside a worker's own cell. */
  workerCounter: {
    alive: 0,
    connections: 1,
    accepted: 2,
    exchanges: 3,
    refusedHeads: 4,
    answered: 5,
    tunnels: 6,
    bytesFromClients: 7,
    bytesToClients: 8,
    copiedBytes: 9,
    splicedBytes: 10,
    acceptPauses: 11,
    clientAborts: 12,
    brokenResponses: 13,
    decisions: 14,
    timeouts: 15,
    batches: 16,
    events: 17,
    openTunnels: 18,
    /** Exchanges and tunnels that wait for a server to have room. */
    waiting: 19,
    /** Blocks of histograms that are in use, and values that found none free. */
    histogramBlocks: 20,
    histogramDropped: 21,
    /** Exchanges and tunnels that its forerunners had in flight when they died: begun, and never ended. The primary writes it. */
    lost: 22,
    /** Ended exchanges and tunnels by `abi.termination`, from here on. */
    terminations: 24,
    count: 56,
  },

  /** Float64 index inside a (worker, route) cell. Requests are counted when they end, by the class of the status that the client got. */
  routeCounter: {
    /** Without a status: the client was gone before there was one, or the connection was broken off. */
    noStatus: 0,
    status1xx: 1,
    status2xx: 2,
    status3xx: 3,
    status4xx: 4,
    status5xx: 5,
    active: 6,
    bytesIn: 7,
    bytesOut: 8,
    retries: 9,
    hedges: 10,
    count: 11,
  },

  /** Float64 index inside a (worker, server) cell. */
  serverCounter: {
    inFlight: 0,
    exchanges: 1,
    connects: 2,
    reused: 3,
    failures: 4,
    retriedAway: 5,
    stale: 6,
    idle: 7,
    learnedIdleMs: 8,
    bytesSent: 9,
    bytesReceived: 10,
    /** Responses whose status is no failure, and tunnels that were joined. */
    successes: 11,
    /** Responses whose status the upstream's passive health calls a failure. */
    failedStatuses: 12,
    /** Failures in a row since the last success of this worker. */
    failureRun: 13,
    /** Sum of the times to the first byte, in microseconds. */
    firstByteUs: 14,
    /** Peak-sensitive moving average of the same (Finagle's peak EWMA, 10 s decay). */
    ewmaUs: 15,
    /** How many of this worker wait in the queue that this row stands for. */
    waiting: 16,
    /** The longest that one was held, in milliseconds, since somebody last asked for it to begin anew; on the row of `waiting`. */
    longestHoldMs: 17,
    /** Responses by the class of their status, as the server sent it; tried again or not. */
    status1xx: 18,
    status2xx: 19,
    status3xx: 20,
    status4xx: 21,
    status5xx: 22,
    openTunnels: 23,
    count: 24,
  },

  /** Float64 index inside a (worker, listener) cell. */
  listenerCounter: {
    connections: 0,
    accepted: 1,
    refusedUntrustedProxy: 2,
    refusedProxyHeader: 3,
    refusedClientHello: 4,
    refusedTooSlow: 5,
    refusedAddressLimit: 6,
    refusedNoRoute: 7,
    refusedNoServer: 8,
    refusedByFunction: 9,
    refusedTlsHandshake: 10,
    refusedUnknownName: 11,
    /** TLS handshakes that were completed, and those of them that resumed a session. */
    tlsHandshakes: 12,
    tlsResumed: 13,
    count: 14,
  },
} as const

export type HeadFlag = keyof typeof abi.headFlag
