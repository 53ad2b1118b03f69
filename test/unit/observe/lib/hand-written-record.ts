/** Writes records into a board as native/observe/record.h says they lie there; knows nothing of the addon's own writer. */
import { readSync, writeSync } from 'node:fs'
import { abi } from '../../../../src/native/abi.ts'
import { layout } from '../../../../src/shared/board/layout.ts'

const HEAD_BYTES = 120
const NUMBER_BYTES = 4096

/** Texts are bytes, or latin1 of them. */
export type Bytes = string | Uint8Array

export interface HandWritten {
  kind?: number
  termination?: number
  attempts?: number
  notes?: { atUs: number; server: number; reason: number; error: number }[]
  endedAtUs?: bigint
  bytesIn?: number
  bytesOut?: number
  queueUs?: number
  connectUs?: number
  firstByteUs?: number
  totalUs?: number
  overheadUs?: number
  flags?: number
  status?: number
  listener?: number
  route?: number
  server?: number
  peerPort?: number
  /** 16 bytes. */
  peer?: Uint8Array
  client?: Uint8Array
  texts?: Partial<Record<(typeof textNames)[number], Bytes>>
  captures?: { name: string; value: Bytes }[]
}

const textNames = ['method', 'host', 'target', 'requestId', 'referer', 'userAgent', 'traceparent'] as const

/** An IPv4 address as it stands in records. */
export function mapped(...parts: number[]): Uint8Array {
  return Uint8Array.from([...Array<number>(10).fill(0), 0xff, 0xff, ...parts])
}

/** The bytes of a record, a multiple of 8. */
export function recordBytes(record: HandWritten): Buffer {
  const texts = textNames.map((name) => bytesOf(record.texts?.[name] ?? ''))
  const captures = record.captures ?? []
  const parts = [...(record.notes ?? []).map(noteBytes), ...texts]
  for (const { name, value } of captures) parts.push(shorts([captureKey(name), bytesOf(value).length]), bytesOf(value))
  const body = Buffer.concat(parts)
  const all = Buffer.alloc((HEAD_BYTES + body.length + 7) & ~7)
  fillHead(all, record, texts)
  body.copy(all, HEAD_BYTES)
  return all
}

/** FNV-1a of the name, folded to 16 bits; native/observe/record.h has the same. */
function captureKey(name: string): number {
  let hash = 2166136261
  for (const byte of Buffer.from(name.toLowerCase())) hash = Math.imul(hash ^ byte, 16777619)
  return (hash ^ (hash >>> 16)) & 0xffff
}

function fillHead(into: Buffer, record: HandWritten, texts: readonly Buffer[]): void {
  into.writeUInt32LE(into.length, 0)
  const { kind = abi.recordKind.exchange, termination = 0, attempts = 0, notes = [] } = record
  into.set([kind, termination, attempts, notes.length], 4)
  into.writeBigUInt64LE(record.endedAtUs ?? 0n, 8)
  into.writeBigUInt64LE(BigInt(record.bytesIn ?? 0), 16)
  into.writeBigUInt64LE(BigInt(record.bytesOut ?? 0), 24)
  const { queueUs = 0, connectUs = 0, firstByteUs = 0, totalUs = 0, overheadUs = 0, flags = 0 } = record
  for (const [i, n] of [queueUs, connectUs, firstByteUs, totalUs, overheadUs, flags].entries()) into.writeUInt32LE(n, 32 + i * 4)
  const { status = 0, listener = 0, route = 0, server = 0xffff, peerPort = 0, captures = [] } = record
  shorts([status, listener, route, server, peerPort, captures.length]).copy(into, 56)
  into.set(record.peer ?? new Uint8Array(16), 68)
  into.set(record.client ?? record.peer ?? new Uint8Array(16), 84)
  shorts(texts.map((text) => text.length)).copy(into, 100)
}

/** Puts a record behind the latest one of a worker. Only for as many as fit once round. */
export function append(boardFd: number, column: number, record: Buffer): void {
  const ring = layout.columnsAt + column * layout.columnBytes + layout.ringAt
  const numbers = Buffer.alloc(16)
  readSync(boardFd, numbers, 0, 16, ring)
  const head = Number(numbers.readBigUInt64LE(0))
  if (head + record.length > abi.board.ringBytes) throw new Error('the ring is full')
  writeSync(boardFd, record, 0, record.length, ring + NUMBER_BYTES + head)
  numbers.writeBigUInt64LE(BigInt(head + record.length), 0)
  numbers.writeBigUInt64LE(numbers.readBigUInt64LE(8) + 1n, 8)
  writeSync(boardFd, numbers, 0, 16, ring)
}

export function bytesOf(text: Bytes): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : Buffer.from(text)
}

function noteBytes({ atUs, server, reason, error }: NonNullable<HandWritten['notes']>[number]): Buffer {
  const note = Buffer.alloc(8)
  note.writeUInt32LE(atUs, 0)
  note.writeUInt16LE(server, 4)
  note.writeUInt16LE(reason | (error << 4), 6)
  return note
}

function shorts(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 2)
  for (const [i, n] of numbers.entries()) bytes.writeUInt16LE(n, i * 2)
  return bytes
}
