/** When a rate says more about clients and servers than about the proxy between them. */
import type { Case } from './case.ts'
import { median } from './numbers.ts'
import { type CaseResult, valuesOf } from './record.ts'

/** From this share of the rate without a proxy on, the load is counted as the limit. */
const nearDirect = 0.85
/** A core that is busy for this share of the time has none left. */
const full = 0.93

/**
 * Why the case's rate of the peer is no maximum of the peer, or its latencies are not its own; null when they are. `cores` is how many the machine has.
 * The CPU time per unit of work is right all the same.
 */
export function limitOf(one: Case, result: CaseResult, peer: string, cores: number): string | null {
  if (peer === 'direct') return null
  const of = (key: string, name = peer): number => median(valuesOf(result, name, key))
  if (one.rate === undefined) return one.isPaced && of('loadBusy') >= full ? waits(of('loadBusy')) : null
  const share = of(one.rate) / of(one.rate, 'direct')
  if (share >= nearDirect) return `its rate is ${percent(share)} of the rate without a proxy: clients and servers were the limit`
  const [busy, waited, load] = [of('busy'), of('waited'), of('loadBusy')]
  if (one.unpinned)
    return busy + load >= full * cores ? `all cores were busy, and clients and servers had ${load.toFixed(2)} of them` : null
  if (busy + waited >= full) return null
  if (load >= full) return `clients and servers had their core ${percent(load)} busy, it only ${percent(busy)}`
  return `it had its core only ${percent(busy)} busy: clients and servers were the limit`
}

function waits(busy: number): string {
  return `clients and servers had their core ${percent(busy)} busy: what they waited for each other is in these times`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
