import { formatDuration, formatShare } from '../../shared/base/units.ts'
import type { RouteAction, RouteConfig, UpstreamTimeouts } from '../../shared/config/model.ts'
import { durationOr, functionText, given, headerEdits, list, pairs, statuses, type WrittenSection } from './written.ts'
import { writtenPages } from './written-root.ts'

/** The options of a route but for its match, by which it is known. */
export function writtenRoute(route: RouteConfig): WrittenSection {
  const { rewrite, headers, retry } = route
  const { stripPrefix = null, addPrefix = null, regex = null } = rewrite ?? {}
  return given({
    ...writtenAction(route.action),
    rewrite: given({ stripPrefix, addPrefix, regex: regex === null ? null : { pattern: regex.pattern, to: regex.to } }),
    headers: { request: headerEdits(headers.request), response: headerEdits(headers.response) },
    host: route.host,
    timeouts: writtenTimeouts(route.timeouts),
    retry: given({
      attempts: retry.attempts === undefined ? null : String(retry.attempts),
      on: retry.on === undefined ? null : list(retry.on),
      statuses: retry.statuses === undefined ? null : statuses(retry.statuses),
    }),
    errorPages: writtenPages(route.errorPages),
    onRequest: functionText(route.onRequest),
    onConnection: functionText(route.onConnection),
    pick: functionText(route.pick),
  })
}

/** What a route does, in one line: for one that is new. */
export function actionText(action: RouteAction): string {
  if (action.kind === 'redirect') return `redirects to ${action.to} with ${action.status}`
  if (action.kind === 'answer') return `answers ${action.status}`
  return `to ${splitText(action.split)}`
}

function writtenAction(action: RouteAction): WrittenSection {
  if (action.kind === 'redirect') return { redirect: { to: action.to, status: String(action.status) } }
  if (action.kind === 'answer') {
    const { status, body, contentType, headers } = action
    return { answer: { status: String(status), body, contentType, headers: pairs(headers) } }
  }
  const isSplit = action.split.length > 1
  return isSplit ? { split: splitText(action.split) } : { upstream: splitText(action.split) }
}

function splitText(split: Extract<RouteAction, { kind: 'forward' }>['split']): string {
  const only = split.length === 1 ? split[0] : undefined
  if (only) return only.upstream
  return list(split.map(({ upstream, share }) => `${upstream} ${formatShare(share)}`))
}

/** Those that are given; the total may be given as none. */
function writtenTimeouts(timeouts: Partial<UpstreamTimeouts>): WrittenSection {
  const { connectMs, firstByteMs, idleMs, tunnelMs, totalMs } = timeouts
  const duration = (ms: number | undefined) => (ms === undefined ? null : formatDuration(ms))
  return given({
    connect: duration(connectMs),
    firstByte: duration(firstByteMs),
    idle: duration(idleMs),
    tunnel: duration(tunnelMs),
    total: totalMs === undefined ? null : durationOr(totalMs, 'none'),
  })
}
