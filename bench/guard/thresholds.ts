/**
 * How much slower a change may make weir before the guard objects: the one place, with a reason for each. A change that is worth what it
 * costs raises a limit here, says why in its reason, and a later change lowers it again.
 */

export interface InstructionLimit {
  /** Share by which instructions per operation may grow over the base: 0.03 is 3 %. */
  growth: number
  /** Instructions per operation at most when there is no base to compare with, as in a shallow clone. */
  most: number
  reason: string
}

/** By operation, as the programs in bench/guard/native name them. */
export const instructionLimits: Record<string, InstructionLimit> = {
  'head-request-plain': {
    growth: 0.03,
    most: 2_500,
    reason: 'parsed for every request of a program; 1.6 k counted with g++ 12 -O2, so half more is no other compiler but another parser',
  },
  'head-request-browser': { growth: 0.03, most: 9_000, reason: '20 fields: cost per field and per byte shows here first; 6.1 k counted' },
  'head-request-cookies': {
    growth: 0.03,
    most: 13_000,
    reason: 'long values are scanned in wide steps; 8.5 k for 6 KiB counted, which a byte-wise scan cannot do',
  },
  'head-request-pieces': {
    growth: 0.05,
    most: 10_000,
    reason: 'a head that trickles in is scanned once; 6.5 k counted, and a second scan would show as twice that',
  },
  'head-response-plain': { growth: 0.03, most: 2_800, reason: 'parsed for every response; 1.9 k counted' },
  'head-response-full': { growth: 0.03, most: 6_500, reason: '14 fields of an application server; 4.3 k counted' },
  'program-request-plain': { growth: 0.04, most: 4_000, reason: 'written for every request; most of it are the forwarding fields' },
  'program-request-browser': { growth: 0.04, most: 5_000, reason: 'fields are copied in runs: growth per field means that the runs broke' },
  'program-request-edits': {
    growth: 0.05,
    most: 8_000,
    reason: 'six rules and a rewrite; new kinds of rule may cost those who use them, not others',
  },
  'program-response': { growth: 0.04, most: 1_500, reason: 'written for every response, in runs of fields as they came: 1.0 k counted' },
  'program-response-edits': { growth: 0.05, most: 2_500, reason: 'two rules, one removes and one sets: 1.4 k counted' },
  'body-length': { growth: 0.1, most: 200, reason: 'one subtraction per read: so few instructions that one more is a per cent' },
  'body-chunks-16KiB': { growth: 0.05, most: 9_000, reason: 'chunk heads are read by byte, bodies are not looked at' },
  'body-chunks-64B': { growth: 0.05, most: 26_000, reason: 'the worst case that is not an attack: a head for each 64 bytes' },
  'board-counters': { growth: 0.1, most: 150, reason: 'plain memory: any call or lock shows at once' },
  'board-histograms': { growth: 0.1, most: 350, reason: 'six latencies per exchange, some 20 instructions each' },
  'board-addresses': { growth: 0.1, most: 500, reason: 'once per connection, with limits per address on' },
  'record-ring': { growth: 0.1, most: 600, reason: 'once per exchange, in the worker, with or without a log' },
  'log-line-json': {
    growth: 0.08,
    most: 5_000,
    reason: 'once per line of the access log, in the thread of the log: new fields may cost something',
  },
  'log-line-combined': { growth: 0.08, most: 3_000, reason: 'once per line of the access log, in the thread of the log; 1.5 k counted' },
  'exchange-small': {
    growth: 0.03,
    most: 16_000,
    reason: 'the whole engine for one request but for its system calls; 10.3 k counted, and 5 us wasted on purpose are as much again',
  },
  'exchange-browser': { growth: 0.03, most: 25_000, reason: 'the same with 20 fields; 16.2 k counted' },
  'exchange-post': { growth: 0.03, most: 16_000, reason: 'with a body of 512 bytes and its replay copy; 10.6 k counted' },
  'exchange-chunked': { growth: 0.04, most: 21_000, reason: 'with a chunked response of 8 pieces; 13.7 k counted' },
}

/** For an operation without a row above, until it gets one. */
export const otherInstructions: InstructionLimit = {
  growth: 0.03,
  most: Number.POSITIVE_INFINITY,
  reason: 'a new operation: give it a row',
}

export interface LoadLimit {
  /** Bound on the ratio to the base, as a share: 0.1 lets CPU grow by 10 %, and req/s fall to 1 / 1.1. */
  growth: number
  /** Differences below this are none, whatever their share: in the unit of the number. */
  least: number
  reason: string
}

export type LoadMetric = 'cpuUs' | 'rps' | 'p99OverheadUs'

export const loadLimits: Record<LoadMetric, LoadLimit> = {
  cpuUs: {
    growth: 0.1,
    least: 0.5,
    reason: 'the number that everything here is about; below 10 % a new process with another memory layout may be all there is to see',
  },
  rps: {
    growth: 0.12,
    least: 0,
    reason: 'follows CPU where the proxy is the limit; on two cores the load generator shares in it, so it gets a little more room',
  },
  p99OverheadUs: {
    growth: 0.6,
    least: 60,
    reason:
      'a tail is made by whoever else runs on the machine: one preemption of 4 ms moves it by half, a queue that doubles moves it more',
  },
}
