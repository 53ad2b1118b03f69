import { formatDuration } from '../base/units.ts'
import type { ConfigDocument } from './document.ts'
import { durationOf, entry, type Raw } from './raw.ts'

const defaultGraceMs = 25_000

/** The rules of how the process is run and stopped. */
export function checkProcess(root: Raw, document: ConfigDocument): void {
  const group = entry(root, 'group')
  if (group.value !== undefined && entry(root, 'user').value === undefined)
    document.keyProblem(group.path, 'has no effect without user', 'name a user, too')
  checkSpread(entry(root, 'shutdown'), document)
}

/** Half of the grace is left for what is in flight on the last connections. What is not given adapts itself. */
function checkSpread(shutdown: Raw, document: ConfigDocument): void {
  const spread = entry(shutdown, 'spread')
  const [ms, grace] = [durationOf(spread), durationOf(entry(shutdown, 'grace')) ?? defaultGraceMs]
  if (ms === null || grace === 0 || ms <= grace / 2) return
  document.valueProblem(spread.path, `${formatDuration(ms)} is longer than half of the grace of ${formatDuration(grace)}`)
}
