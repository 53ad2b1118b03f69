/** Runs one case: every peer in every round, in turns. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineTime, stolenSince } from '../../src/cli/bench/cpu.ts'
import { turnOrder } from '../../src/cli/bench/turn-order.ts'
import { direct } from '../peers/direct.ts'
import type { PeerKind } from '../peers/peer.ts'
import { type Bench, type Case, Unable } from './case.ts'
import type { CaseResult } from './record.ts'

/**
 * What fails or cannot do it is named in the result and left out of the rounds to come; nothing is thrown. Where there is a rate, the
 * servers are measured without a proxy, too. `progress` hears of every measurement that begins.
 */
export async function runCase(
  one: Case,
  kinds: PeerKind[],
  rounds: number,
  bench: Bench,
  progress: (what: string) => void,
): Promise<CaseResult> {
  const peers = one.rate === undefined || kinds.includes(direct) ? kinds : [...kinds, direct]
  const result: CaseResult = {
    name: one.name,
    question: questionOf(one),
    samples: {},
    failures: [],
    unable: {},
    obstacle: one.obstacle(bench),
    stolen: 0,
  }
  const before = machineTime()
  const out = new Set<PeerKind>()
  const all = Math.min(rounds, one.mostRounds ?? rounds)
  for (let round = 0; round < all && result.obstacle === null; round++) {
    for (const peer of turnOrder(peers, round).filter((kind) => !out.has(kind))) {
      progress(`${one.name} round ${round + 1}/${all} ${peer.name}`)
      if (!(await measureInto(result, one, peer, bench))) out.add(peer)
    }
  }
  result.stolen = stolenSince(before)
  return result
}

/** False when the peer need not be tried again. */
async function measureInto(result: CaseResult, one: Case, peer: PeerKind, bench: Bench): Promise<boolean> {
  try {
    const sample = await one.measure(peer, bench)
    result.samples[peer.name] = [...(result.samples[peer.name] ?? []), sample]
    return true
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (error instanceof Unable) result.unable[peer.name] = why
    else result.failures.push(`${peer.name}: ${why}`)
    return false
  }
}

/** The first line of the case's file. */
function questionOf(one: Case): string {
  const file = readFileSync(join(import.meta.dirname, '../cases', `${one.name}.ts`), 'utf8')
  return (file.split('\n')[0] ?? '').replace(/^\/\/ /, '')
}
