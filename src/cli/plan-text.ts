import type { Override, PlanData, PlanStep, ReloadData } from '../shared/control/data.ts'
import { type Colour, coloured, type Screen, table } from './table.ts'
import { counted, printable, span } from './words.ts'

const groups = [
  { how: 'live', title: 'At once, nothing is interrupted (live):' },
  { how: 'drains', title: 'What runs there finishes first (drains):' },
  { how: 'restart', title: 'Needs "weir upgrade" or a new start (restart):' },
] as const
const signs: Record<PlanStep['what'], [string, Colour]> = { add: ['+', 'green'], remove: ['-', 'red'], change: ['~', 'yellow'] }

/** What a reload would change, and how. */
export function planText({ data: { file, steps, conflicts, warnings } }: { data: PlanData }, screen: Screen): string {
  const head = steps.length === 0 ? `no changes: ${file} says what is in force\n` : `${file}: ${counted(steps.length, 'change')}\n`
  return head + stepsText(steps, screen) + conflictsText(conflicts, screen) + warningsText(warnings)
}

/** What a reload has changed. */
export function reloadText({ generation, data }: { generation: number; data: ReloadData }, screen: Screen): string {
  const details = stepsText(data.steps, screen) + conflictsText(data.conflicts, screen)
  return reloadLine(generation, data) + details
}

function reloadLine(generation: number, { file, changed, dryRun, steps, tookMs }: ReloadData): string {
  if (steps.length === 0) return `no changes: ${file} says what is in force\n`
  const changes = counted(steps.length, 'change')
  if (dryRun) return `dry run: ${file} would make ${changes}\n`
  if (!changed) return `nothing of ${changes} in ${file} is in force yet\n`
  return `reloaded ${file} in ${span(tookMs)}: ${changes}, generation ${generation}\n`
}

function stepsText(steps: readonly PlanStep[], screen: Screen): string {
  return groups.map(({ how, title }) => groupText(title, stepsOf(steps, how), screen)).join('')
}

function stepsOf(steps: readonly PlanStep[], how: PlanStep['how']): PlanStep[] {
  return steps.filter((step) => step.how === how)
}

function groupText(title: string, steps: readonly PlanStep[], screen: Screen): string {
  if (steps.length === 0) return ''
  const width = Math.max(...steps.map(({ at }) => at.length))
  const lines = steps.map(({ what, at, text, connections }) => {
    const [sign, colour] = signs[what]
    const load = connections > 0 ? ` (${counted(connections, 'connection')})` : ''
    return `  ${coloured(sign, colour, screen)} ${printable(at).padEnd(width)}  ${printable(text)}${load}\n`
  })
  return `\n${coloured(title, 'bold', screen)}\n${lines.join('')}`
}

/** What commands have changed and the config says otherwise now. */
function conflictsText(conflicts: readonly Override[], screen: Screen): string {
  if (conflicts.length === 0) return ''
  const rows = conflicts.map(({ server, what, value, conflict }) => [server, what, value, conflict ?? ''])
  const columns = [{ title: 'SERVER' }, { title: 'WHAT' }, { title: 'IN FORCE' }, { title: 'CONFIG SAYS' }]
  const title = 'Commands have said otherwise, and that stays in force:'
  const inner = { ...screen, width: screen.width === null ? null : screen.width - 2 }
  return `\n${coloured(title, 'bold', screen)}\n${table(columns, rows, inner).replace(/^(?=.)/gm, '  ')}`
}

function warningsText(warnings: readonly string[]): string {
  return warnings.map((warning) => `\nwarning: ${printable(warning)}\n`).join('')
}
