/** Long flows of bytes: a writer that obeys its reader, and digests that show a lost, repeated or moved block. */
import { createHash, type Hash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Reader } from './reader.ts'
import { deferred, until } from './wait.ts'

const BLOCK_BYTES = 65_536

export interface Flow {
  /** Bytes that the kernel has taken so far. */
  taken(): number
  /** Settles when it has taken all of them, with the SHA-256 of everything. */
  readonly poured: Promise<string>
}

/** Writes `total` bytes, a multiple of 64 KiB, as fast as the other side reads. */
export function pour(socket: Socket, total: number): Flow {
  const seed = randomBytes(BLOCK_BYTES)
  const hash = createHash('sha256')
  const done = deferred<string>()
  let given = 0
  const feed = () => {
    while (given < total) {
      const block = blockAt(seed, given, hash)
      given += block.length
      const isLast = given >= total
      if (!socket.write(block, isLast ? () => done.resolve(hash.digest('hex')) : undefined)) return
    }
  }
  socket.on('drain', feed)
  socket.once('close', () => done.reject(new Error(`closed after ${given} of ${total} bytes`)))
  feed()
  return { taken: () => given - socket.writableLength, poured: done.promise }
}

// Each block begins with its place, so that no two are alike.
function blockAt(seed: Buffer, place: number, hash: Hash): Buffer {
  const block = Buffer.from(seed)
  block.writeDoubleBE(place)
  hash.update(block)
  return block
}

/** Reads to the end, or until `most` bytes have come, and keeps nothing of it. */
export async function digest(reader: Reader, most = Number.POSITIVE_INFINITY, within = 20_000): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  while (bytes < most) {
    const part = await reader.takeSome(within)
    if (part.length === 0) break
    bytes += part.length
    hash.update(part)
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Waits until a count has not changed for 300 ms, and answers it. */
export async function settled(count: () => number): Promise<number> {
  let last = -1
  let since = Date.now()
  const isStill = () => {
    const now = count()
    if (now !== last) since = Date.now()
    last = now
    return Date.now() - since > 300
  }
  await until(isStill, { within: 10_000, what: 'the writer is stopped' })
  return last
}
