/** The file that a run leaves: everything that was measured, and on what. Written anew after each case, so that no later failure costs it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Bench, Sample } from './case.ts'
import type { Machine } from './machine.ts'

export interface CaseResult {
  name: string
  question: string
  /** By peer, one per round. */
  samples: Record<string, Sample[]>
  failures: string[]
  /** Peers that work but cannot do what the case asks for, and why. */
  unable: Record<string, string>
  obstacle: string | null
  /** Share (0 to 1) of the machine's CPU time that the hypervisor took during the case. */
  stolen: number
}

export interface BenchRecord {
  schema: 2
  /** When the run began, as ISO 8601 in UTC. */
  time: string
  /** What was asked for: `peers`, `http`, … */
  suite: string
  machine: Machine
  rounds: number
  seconds: number
  full: boolean
  /** What made the closed-loop HTTP load. */
  load: string
  cores: Bench['cores']
  /** Peers that are not on this machine, and why. */
  skipped: { peer: string; reason: string }[]
  results: CaseResult[]
}

/** Writes the file whole or not at all. Samples take a line each and keep six digits. */
export function writeRecord(file: string, record: BenchRecord): void {
  mkdirSync(dirname(file), { recursive: true })
  const digits = (_key: string, value: unknown): unknown => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)
  const lines = JSON.stringify(record, digits, 2).replace(/\{\s+("[^"]+": (?:[\d.e+-]+|null),?\s+)+\}/g, (sample) =>
    sample.replace(/\s+/g, ' '),
  )
  writeFileSync(`${file}.part`, `${lines}\n`)
  renameSync(`${file}.part`, file)
}

/** Throws a sentence when the file is no record of this version. */
export function readRecord(file: string): BenchRecord {
  const parsed = contentOf(file)
  if (isRecord(parsed)) return parsed
  throw new Error(`${file} is no record of make bench-peers with schema 2: make it again`)
}

function contentOf(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`cannot read the record ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function isRecord(value: unknown): value is BenchRecord {
  return typeof value === 'object' && value !== null && 'schema' in value && value.schema === 2 && 'results' in value
}

/** The finite numbers that a peer has for a metric. */
export function valuesOf(result: CaseResult, peer: string, key: string): number[] {
  return (result.samples[peer] ?? []).map((sample) => sample[key] ?? Number.NaN).filter(Number.isFinite)
}
