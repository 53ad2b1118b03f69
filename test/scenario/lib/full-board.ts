/** Writes histograms of many servers onto the board of a running balancer, as if they had served: what that much traffic leaves behind. */
import { closeSync, openSync, readdirSync, readlinkSync, writeSync } from 'node:fs'
import { abi } from '../../../src/native/abi.ts'
import { layout, seriesAtByte, serverIndex } from '../../../src/shared/board/layout.ts'

const { board: size, phase, serverCounter, workerCounter } = abi
const BLOCK_BYTES = 512
const COUNTS = 128

/**
 * Gives each of the first `servers` rows of every column blocks 0 to `blocks` - 1 of all phases, with a count in every second bucket.
 * @throws where the process has no board
 */
export function fillBoard(pid: number, { columns, servers, blocks = 3 }: { columns: number; servers: number; blocks?: number }): void {
  const fd = openSync(boardPath(pid), 'r+')
  try {
    for (let column = 0; column < columns; column++) fillColumn(fd, column, servers, blocks)
  } finally {
    closeSync(fd)
  }
}

function boardPath(pid: number): string {
  const folder = `/proc/${pid}/fd`
  const found = readdirSync(folder).find((fd) => linkOf(`${folder}/${fd}`).includes('weir-board'))
  if (found === undefined) throw new Error(`process ${pid} has no board`)
  return `${folder}/${found}`
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function fillColumn(fd: number, column: number, servers: number, blocks: number): void {
  const base = layout.columnsAt + column * layout.columnBytes
  const counts = Buffer.alloc(blocks * BLOCK_BYTES)
  let [count, sumUs] = [0, 0]
  for (let i = 0; i < blocks * COUNTS; i += 2) {
    counts.writeUInt32LE(1 + (i % 7), i * 4)
    count += 1 + (i % 7)
    sumUs += (1 + (i % 7)) * i
  }
  let next = 1
  for (let slot = 0; slot < servers; slot++) {
    for (let number = 0; number < phase.count; number++) {
      const head = Buffer.alloc(size.seriesBytes)
      head.writeBigUInt64LE(BigInt(count), 0)
      head.writeBigUInt64LE(BigInt(sumUs), 8)
      for (let block = 0; block < blocks; block++) head.writeUInt16LE(next + block, 16 + block * 2)
      writeSync(fd, counts, 0, counts.length, base + layout.blocksAt + next * BLOCK_BYTES)
      writeSync(fd, head, 0, head.length, seriesAtByte(column, 'server', slot, number))
      next += blocks
    }
    const own = Buffer.alloc(8)
    own.writeDoubleLE(count)
    writeSync(fd, own, 0, 8, serverIndex(column, slot, serverCounter.successes) * 8)
  }
  const used = Buffer.alloc(8)
  used.writeDoubleLE(next)
  writeSync(fd, used, 0, 8, base + workerCounter.histogramBlocks * 8)
}
