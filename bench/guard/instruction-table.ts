/** What is printed of counted instructions. */
import { table, text } from '../lib/numbers.ts'
import type { InstructionReport } from './instruction-guard.ts'
import { instructionFailure } from './instruction-verdict.ts'

/** The table, what was skipped, and a sentence for each operation that got slower. */
export function instructionLines({ rows, skipped }: InstructionReport): { lines: string[]; isSlower: boolean } {
  const cells = rows.map(({ name, here, base, limit, isSlower }) => [
    name,
    text(here),
    base === null ? '-' : text(base),
    base === null ? '-' : `${((here / base - 1) * 100).toFixed(1)} %`,
    Number.isFinite(limit) ? text(Math.floor(limit)) : '-',
    isSlower ? 'SLOWER' : 'ok',
  ])
  const slower = rows.filter((row) => row.isSlower)
  const lines = [
    table([['', 'here', 'base', 'change', 'limit', ''], ...cells]),
    ...skipped.map(({ names, reason }) => `skipped, the base has another engine there: ${names.join(' ')}: ${reason}`),
    ...slower.map((row) => `FAILED ${instructionFailure(row)}`),
  ]
  return { lines, isSlower: slower.length > 0 }
}
