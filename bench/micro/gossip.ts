// What does it cost the primary to tell N workers of one change among M servers, and of all of them?
import { GossipHub } from '../../src/primary/gossip.ts'
import type { ServerDefinition } from '../../src/primary/server-entry.ts'
import { ServerTable } from '../../src/primary/server-table.ts'
import { GossipReceiver } from '../../src/worker/gossip-receiver.ts'
import type { Step } from './step.ts'

const sizes = [
  { workers: 2, servers: 10 },
  { workers: 16, servers: 100 },
  { workers: 64, servers: 1000 },
]

/** One change and a whole table, with every size. Without the channel: the workers are in this process, and messages are handed over. */
export function gossipSteps(): Step[] {
  return sizes.flatMap(({ workers, servers }): Step[] => [
    { title: `a change, ${workers} workers, ${servers} servers`, prepare: () => prepareChange(workers, servers) },
    { title: `a whole table, 1 of ${workers} workers, ${servers} servers`, prepare: () => prepareWhole(workers, servers) },
  ])
}

/** A hub whose workers have confirmed everything. */
function fleet(
  workers: number,
  servers: number,
): { table: ServerTable; hub: GossipHub; receivers: GossipReceiver[]; settle(nowMs: number): void } {
  const table = new ServerTable({ epoch: 5, rows: servers, log: () => {}, onChange: () => {} })
  table.define(
    Array.from({ length: servers }, (_, i) => definition(i)),
    1,
  )
  const hub = new GossipHub({ table })
  const receivers = Array.from({ length: workers }, () => new GossipReceiver(() => {}))
  for (const [worker, receiver] of receivers.entries()) receiver.apply(hub.join(worker, (message) => receiver.apply(message), 1))
  const settle = (nowMs: number) => {
    for (const [worker, receiver] of receivers.entries()) hub.heard(worker, receiver.heartbeat(), nowMs)
  }
  settle(2)
  return { table, hub, receivers, settle }
}

/** From the verdict to the last worker's confirmation. */
function prepareChange(workers: number, servers: number): (times: number) => void {
  const { table, hub, settle } = fleet(workers, servers)
  let turn = 0
  return (times) => {
    for (let i = 0; i < times; i++, turn++) {
      const nowMs = 10 + turn
      const isFlipped = Math.floor(turn / servers) % 2 === 0
      if (!table.setHealth(nameOf(turn % servers), isFlipped ? 'down' : 'up', nowMs)) throw new Error('nothing changed')
      hub.tick(nowMs)
      settle(nowMs)
      if (hub.confirmedVersion !== table.version) throw new Error('a worker is behind')
    }
  }
}

/** A worker begins anew, applies all of it, and confirms. */
function prepareWhole(workers: number, servers: number): (times: number) => void {
  const { hub, settle, table } = fleet(workers, servers)
  settle(3)
  let nowMs = 10
  return (times) => {
    for (let i = 0; i < times; i++, nowMs++) {
      const receiver = new GossipReceiver(() => {})
      hub.leave(workers, nowMs)
      receiver.apply(hub.join(workers, (message) => receiver.apply(message), nowMs))
      hub.heard(workers, receiver.heartbeat(), nowMs)
      if (hub.confirmedVersion !== table.version) throw new Error('the worker is behind')
    }
  }
}

function nameOf(i: number): string {
  return `app/server-${i}`
}

function definition(i: number): ServerDefinition {
  const address = { kind: 'tcp', host: '127.0.0.1', port: 1024 + i, text: `127.0.0.1:${1024 + i}` } as const
  const config = { name: `server-${i}`, address, weight: 1, maxConnections: null, tier: 0, zone: null }
  return { upstream: 'app', config, initial: 'unknown', isChecked: true }
}
