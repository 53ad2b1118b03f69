// How many nanoseconds of CPU does a pick take with 2 to 10,000 servers?
import type { HashConfig } from '../../src/shared/config/model.ts'
import { PickContext } from '../../src/worker/pick/pick-context.ts'
import type { BoardView, PolicyName } from '../../src/worker/pick/picker.ts'
import { policies } from '../../src/worker/pick/policies.ts'
import { UpstreamPicker } from '../../src/worker/pick/upstream-picker.ts'

const SIZES = [2, 10, 100, 1000, 10_000]
const PICKS = 100_000
const ROUNDS = 3
/** A cache line per server. */
const STRIDE = 16
const KEYS = Array.from({ length: 20_000 }, (_, i) => `user-${i}`)
const CLIENTS = Array.from({ length: 20_000 }, (_, i) => `10.${i % 251}.${i % 241}.${i % 239}`)

interface Subject {
  title: string
  balance: PolicyName
  hash: HashConfig | null
}

const tables = ['ring', 'maglev', 'rendezvous'] as const
const hashes: Subject[] = tables.flatMap((table) =>
  [null, 1.25].map((boundedLoad) => ({
    title: `consistent-hash, ${table}${boundedLoad === null ? '' : ', bounded'}`,
    balance: 'consistent-hash' as const,
    hash: { key: { from: 'path' as const }, table, boundedLoad },
  })),
)
const plain = (Object.keys(policies) as PolicyName[])
  .filter((balance) => balance !== 'consistent-hash')
  .map((balance): Subject => ({ title: balance, balance, hash: null }))

console.log(`${'ns per pick'.padEnd(38)}${SIZES.map((size) => `${size}`.padStart(9)).join('')}`)
for (const weights of ['equal', 'mixed'] as const) {
  for (const subject of [...plain, ...hashes]) {
    const cells = SIZES.map((size) => measure(subject, weights, size).toFixed(0).padStart(9))
    console.log(`${`${subject.title}, ${weights}`.padEnd(38)}${cells.join('')}`)
  }
}

/** Twice as many exchanges are open as there are servers, and the oldest ends when one begins; 16 picks in a millisecond. */
function measure({ balance, hash }: Subject, weights: 'equal' | 'mixed', size: number): number {
  const servers = Array.from({ length: size }, (_, slot) => {
    const weight = weights === 'equal' ? 1 : 1 + (slot % 5)
    return { slot, id: `10.${slot >> 8}.0.${slot & 255}:80`, weight, maxConnections: 1000, tier: 0, zone: null }
  })
  const picker = new UpstreamPicker({ balance, hash, servers, start: 0, zone: null, slowStart: null })
  const board: BoardView = { inFlight: new Int32Array(size * STRIDE), stride: STRIDE, offset: 1 }
  const latencies = Float64Array.from({ length: size }, (_, slot) => 500 + (slot % 7) * 100)
  const context = new PickContext(board, { read: (slot) => latencies[slot] as number }, Math.random)
  const open = new Int32Array(size * 2).fill(-1)
  run(picker, context, open, 20_000)
  return Math.min(...Array.from({ length: ROUNDS }, () => run(picker, context, open, PICKS)))
}

function run(picker: UpstreamPicker, context: PickContext, open: Int32Array, picks: number): number {
  const started = process.cpuUsage()
  for (let i = 0, at = 0; i < picks; i++, at = at + 1 === open.length ? 0 : at + 1) {
    const ended = open[at] as number
    if (ended >= 0) count(context.board, ended, -1)
    context.now = i >> 4
    context.key = KEYS[i % KEYS.length] as string
    context.clientIp = CLIENTS[i % CLIENTS.length] as string
    const slot = picker.pick(context)
    if (slot >= 0) count(context.board, slot, 1)
    open[at] = slot
  }
  return (process.cpuUsage(started).user * 1000) / picks
}

function count(board: BoardView, slot: number, change: number): void {
  const at = slot * board.stride + board.offset
  board.inFlight[at] = (board.inFlight[at] as number) + change
}
