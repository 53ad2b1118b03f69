import { formatDuration } from '../base/units.ts'
import { isLoopback, parseBindAddress } from './address.ts'
import type { ConfigDocument } from './document.ts'
import { durationOf, entry, type Raw } from './raw.ts'

const defaultGraceMs = 25_000

/** The rules of how the process is run and stopped. */
export function checkProcess(root: Raw, document: ConfigDocument): void {
  const group = entry(root, 'group')
  if (group.value !== undefined && entry(root, 'user').value === undefined)
    document.keyProblem(group.path, 'has no effect without user', 'name a user, too')
  checkAdmin(entry(root, 'admin'), document)
  checkSpread(entry(root, 'shutdown'), document)
}

/** Who reaches the HTTP interface from elsewhere has to show that he may. */
function checkAdmin(admin: Raw, document: ConfigDocument): void {
  const [bind, token, file, view] = [entry(admin, 'bind'), entry(admin, 'token'), entry(admin, 'tokenFile'), entry(admin, 'viewToken')]
  if (token.value !== undefined && file.value !== undefined)
    document.keyProblem(file.path, 'not together with token', 'leave one of them out')
  const hasToken = token.value !== undefined || file.value !== undefined
  if (view.value !== undefined && !hasToken)
    document.keyProblem(view.path, 'has no effect without token: without one everybody may do everything', 'set admin.token, too')
  if (view.value !== undefined && view.value === token.value)
    document.valueProblem(view.path, 'is the same as token, with which one may do everything')
  const address = typeof bind.value === 'string' ? parseBindAddress(bind.value) : null
  if (hasToken || address?.ok !== true || address.value.kind === 'unix' || isLoopback(address.value.host)) return
  const { port } = address.value
  document.valueProblem(
    bind.path,
    `expected a loopback address, found "${bind.value}": whoever reaches another one without a token may do everything`,
    `write "127.0.0.1:${port}" or "[::1]:${port}", or set admin.token or admin.tokenFile`,
  )
}

/** Half of the grace is left for what is in flight on the last connections. What is not given adapts itself. */
function checkSpread(shutdown: Raw, document: ConfigDocument): void {
  const spread = entry(shutdown, 'spread')
  const [ms, grace] = [durationOf(spread), durationOf(entry(shutdown, 'grace')) ?? defaultGraceMs]
  if (ms === null || grace === 0 || ms <= grace / 2) return
  document.valueProblem(spread.path, `${formatDuration(ms)} is longer than half of the grace of ${formatDuration(grace)}`)
}
