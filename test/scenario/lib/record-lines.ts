/** The records that the workers of a balancer keep, read in this process as the log thread of the primary reads them. */
import { closeSync, openSync } from 'node:fs'
import { abi } from '../../../src/native/abi.ts'
import { addon } from '../../../src/native/addon.ts'
import { BOARD_FD } from '../../../src/shared/ipc/protocol.ts'
import type { Balancer } from './balancer.ts'
import { type Scope, until } from './wait.ts'

/** A line of the log; what it does not say is undefined. Names: `abi.recordField`. */
export interface RecordLine {
  [field: string]: unknown
  worker: number
  status: number
  termination: string
  totalUs: number
}

/** Rows are numbered in the order of the config, routes behind those of the listeners. */
export interface Names {
  listeners: readonly string[]
  routes: readonly string[]
  servers: readonly string[]
}

export interface RecordLines {
  /** The records that are new since the last call; waits until there are so many, and has no more. */
  next(count?: number): Promise<RecordLine[]>
  /** All that are still there, from the oldest on, by a cursor of their own. */
  all(): RecordLine[]
  counts(): { lost: number; read: number }
}

/** Reads what ends from now on. The board stays open here, whoever else ends. */
export function recordsOf(scope: Scope, weir: Balancer, names: Names): RecordLines {
  const workers = weir.workerPids()
  const boardFd = openSync(`/proc/${workers[0]}/fd/${BOARD_FD}`, 'r')
  scope.after(() => closeSync(boardFd))
  const reader = new (addon().RecordReader)({ boardFd, workers: workers.length })
  for (const [row, name] of names.listeners.entries()) reader.name('listener', row, name)
  for (const [row, name] of names.routes.entries()) reader.name('route', abi.board.listeners + row, name)
  for (const [row, name] of names.servers.entries()) reader.name('server', row, name)
  const fields = Array.from({ length: abi.recordField.count }, (_, field) => field)
  const open = (fromOldest: boolean) => reader.open({ kind: 'json', fields, redactedQuery: ['token'], headers: [], share: 1 }, fromOldest)
  const read = (cursor: number) => {
    const into = new Uint8Array(1 << 20)
    const bytes = reader.read(cursor, into)
    const lines = new TextDecoder('utf-8', { fatal: true }).decode(into.subarray(0, bytes)).split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as RecordLine)
  }
  const latest = open(false)
  return {
    async next(count = 1) {
      const found: RecordLine[] = []
      await until(() => found.push(...read(latest)) >= count, { what: `${count} records` })
      if (found.length > count) throw new Error(`${found.length} records instead of ${count}: ${JSON.stringify(found)}`)
      return found
    },
    all() {
      const cursor = open(true)
      const found: RecordLine[] = []
      for (let some = read(cursor); some.length > 0; some = read(cursor)) found.push(...some)
      reader.close(cursor)
      return found
    },
    counts: () => reader.counts(latest),
  }
}
