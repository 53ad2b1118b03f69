// How many nanoseconds of CPU does a pick take with 2 to 10,000 servers?
import type { HashConfig } from '../../src/shared/config/model.ts'
import { PickContext } from '../../src/worker/pick/pick-context.ts'
import type { BoardView, PolicyName } from '../../src/worker/pick/picker.ts'
import { policies } from '../../src/worker/pick/policies.ts'
import { UpstreamPicker } from '../../src/worker/pick/upstream-picker.ts'
import type { Step } from './step.ts'

const sizes = [2, 10, 100, 1000, 10_000]
/** A cache line per server. */
const stride = 16
const keys = Array.from({ length: 20_000 }, (_, i) => `user-${i}`)
const clients = Array.from({ length: 20_000 }, (_, i) => `10.${i % 251}.${i % 241}.${i % 239}`)

interface Subject {
  title: string
  balance: PolicyName
  hash: HashConfig | null
  weights: 'equal' | 'mixed'
}

/** Every policy with every size, and with weights that differ once. */
export function pickSteps(): Step[] {
  return subjects().flatMap((subject) =>
    (subject.weights === 'equal' ? sizes : [100]).map(
      (size): Step => ({ title: `${subject.title}, ${subject.weights} weights, ${size} servers`, prepare: () => prepare(subject, size) }),
    ),
  )
}

function subjects(): Subject[] {
  const names = (Object.keys(policies) as PolicyName[]).filter((balance) => balance !== 'consistent-hash')
  const plain = names.map((balance) => ({ title: balance, balance, hash: null }))
  const hashes = (['ring', 'maglev', 'rendezvous'] as const).flatMap((kind) =>
    [null, 1.25].map((boundedLoad) => ({
      title: `consistent-hash ${kind}${boundedLoad === null ? '' : ' bounded'}`,
      balance: 'consistent-hash' as const,
      hash: { key: { from: 'path' as const }, table: kind, boundedLoad },
    })),
  )
  return (['equal', 'mixed'] as const).flatMap((weights) => [...plain, ...hashes].map((one) => ({ ...one, weights })))
}

/** Twice as many exchanges are open as there are servers, and the oldest ends when one begins; 16 picks in a millisecond. */
function prepare({ balance, hash, weights }: Subject, size: number): (times: number) => void {
  const servers = Array.from({ length: size }, (_, slot) => {
    const weight = weights === 'equal' ? 1 : 1 + (slot % 5)
    return { slot, id: `10.${slot >> 8}.0.${slot & 255}:80`, weight, maxConnections: 1000, tier: 0, zone: null }
  })
  const picker = new UpstreamPicker({ balance, hash, servers, start: 0, zone: null, slowStart: null })
  const board: BoardView = { inFlight: new Int32Array(size * stride), stride, offset: 1 }
  const latencies = Float64Array.from({ length: size }, (_, slot) => 500 + (slot % 7) * 100)
  const context = new PickContext(board, { read: (slot) => latencies[slot] as number }, Math.random)
  const open = new Int32Array(size * 2).fill(-1)
  let turn = 0
  return (times) => {
    for (let i = 0; i < times; i++, turn++) {
      const at = turn % open.length
      const ended = open[at] as number
      if (ended >= 0) count(board, ended, -1)
      context.now = turn >> 4
      context.key = keys[turn % keys.length] as string
      context.clientIp = clients[turn % clients.length] as string
      const slot = picker.pick(context)
      if (slot >= 0) count(board, slot, 1)
      open[at] = slot
    }
  }
}

function count(board: BoardView, slot: number, change: number): void {
  const at = slot * board.stride + board.offset
  board.inFlight[at] = (board.inFlight[at] as number) + change
}
