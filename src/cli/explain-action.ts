import type { Config, HeaderEdits, RouteConfig } from '../shared/config/model.ts'
import { compileRedirect } from '../worker/route/redirect.ts'
import { applyRewrite, compileRewrite, targetOf } from '../worker/route/rewrite.ts'
import type { ExplainedRequest } from './explain-question.ts'

export type ExplainedAction =
  | {
      kind: 'forward'
      split: { upstream: string; share: number; servers: string[] }[]
      target: string
      host: string
      headers: string[]
      functions: string[]
    }
  | { kind: 'connect'; split: { upstream: string; share: number; servers: string[] }[]; functions: string[] }
  | { kind: 'redirect'; status: number; location: string; functions: string[] }
  | { kind: 'answer'; status: number; body: string; functions: string[] }

/** What becomes of a connection on its route. */
export function connectOf(config: Config, { action, onConnection }: RouteConfig): ExplainedAction {
  const split = action.kind === 'forward' ? action.split.map((entry) => ({ ...entry, servers: serversOf(config, entry.upstream) })) : []
  return { kind: 'connect', split, functions: onConnection === undefined ? [] : ['onConnection'] }
}

/** What becomes of a request on its route. */
export function actionOf(config: Config, route: RouteConfig, request: ExplainedRequest): ExplainedAction {
  const { action } = route
  const functions = (['onRequest', 'pick'] as const).filter((name) => route[name] !== undefined)
  if (action.kind === 'answer') return { kind: 'answer', status: action.status, body: action.body, functions }
  if (action.kind === 'redirect') return { kind: 'redirect', status: action.status, location: locationOf(action.to, request), functions }
  const split = action.split.map((entry) => ({ ...entry, servers: serversOf(config, entry.upstream) }))
  const target = targetOf(applyRewrite(compileRewrite(route.rewrite), request.path), request.head.query)
  const host = sentHost(
    route.host,
    request.authority,
    split.flatMap((entry) => entry.servers),
  )
  return { kind: 'forward', split, target, host, headers: editTexts(route.headers.request), functions }
}

function locationOf(to: string, { head, host, port, path, listener }: ExplainedRequest): string {
  const redirect = compileRedirect(to)
  if (redirect.kind === 'static') return redirect.location
  return redirect.location({
    scheme: listener.tls === null ? 'http' : 'https',
    host,
    port,
    path,
    query: head.query,
    clientIp: head.clientIp,
  })
}

function serversOf(config: Config, name: string): string[] {
  return (config.upstreams.find((upstream) => upstream.name === name)?.servers ?? []).map((server) => server.address.text)
}

function sentHost(rule: string, authority: string, servers: string[]): string {
  if (rule === 'preserve') return authority
  if (rule !== 'server') return rule
  return servers.length === 1 ? (servers[0] as string) : 'address of the picked server'
}

function editTexts(edits: HeaderEdits): string[] {
  return [
    ...edits.set.map(([name, value]) => `set ${name}: ${value}`),
    ...edits.add.map(([name, value]) => `add ${name}: ${value}`),
    ...edits.remove.map((name) => `remove ${name}`),
  ]
}
