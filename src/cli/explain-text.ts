import type { Explanation } from './explain.ts'
import type { ExplainedAction } from './explain-action.ts'

/** For a terminal. Routes of other hosts can be thousands and say little, so they are only counted. */
export function explanationText({ request, connection, listener, routes, action }: Explanation): string {
  const others = routes.filter((row) => row.failed === 'host').length
  const lines = [
    ...(request === null ? [] : [requestLine(request)]),
    ...(connection === null ? [] : [connectionLine(connection)]),
    `listener  ${listener}`,
    'routes    in the order they are tried',
    ...routes.filter((row) => row.failed !== 'host').map(routeLine),
    ...(others === 0 ? [] : [`  skipped      ${others} for other ${request === null ? 'server names' : 'hosts'}`]),
    ...(action === null ? [request === null ? 'closed    no route matches' : 'answer    404, no route matches'] : actionLines(action)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function requestLine({ method, host, path, query, clientIp }: NonNullable<Explanation['request']>): string {
  return `request   ${method} ${host}${path}${query === '' ? '' : `?${query}`} from ${clientIp}`
}

function connectionLine({ protocol, port, sni, alpn, clientIp }: NonNullable<Explanation['connection']>): string {
  const hello = protocol === 'tls' ? `, sni ${sni || 'absent'}, alpn ${alpn.join(', ') || 'absent'}` : ''
  return `connect   ${protocol} to port ${port || 'none'}${hello}, from ${clientIp}`
}

function routeLine({ route, line, match, verdict, reasons }: Explanation['routes'][number]): string {
  const why = verdict === 'not-reached' ? ['matches too, but a more specific route answers'] : reasons
  return `  ${verdict.padEnd(11)}  ${route} (line ${line}): ${match}${why.length === 0 ? '' : ` – ${why.join('; ')}`}`
}

function actionLines(action: ExplainedAction): string[] {
  const decides = action.functions.map((name) => `function  ${name} of this route may decide otherwise`)
  if (action.kind === 'answer') return [`answer    ${action.status}`, ...decides]
  if (action.kind === 'redirect') return [`redirect  ${action.status} to ${action.location}`, ...decides]
  const upstreams = action.split.map(
    (entry) => `upstream  ${entry.upstream}${shareText(entry.share)}: ${entry.servers.join(', ') || 'no servers'}`,
  )
  if (action.kind === 'connect') return [...upstreams, ...decides]
  return [
    ...upstreams,
    `target    ${action.target}`,
    `host      ${action.host}`,
    ...action.headers.map((text) => `header    ${text}`),
    ...decides,
  ]
}

function shareText(share: number): string {
  return share === 1 ? '' : ` ${Number((share * 100).toFixed(3))}%`
}
