import type { CommandModule } from 'yargs'
import { findConfig, loadConfig } from '../shared/config/load.ts'
import type { Config, HeaderEdits, RouteConfig } from '../shared/config/model.ts'
import { renderProblems } from '../shared/config/problem.ts'
import type { ExplainedRoute } from '../worker/route/explain.ts'
import { explainRoutes } from '../worker/route/explain.ts'
import { compileRedirect } from '../worker/route/redirect.ts'
import { applyRewrite, compileRewrite, targetOf } from '../worker/route/rewrite.ts'
import { compileRouter } from '../worker/route/router.ts'
import type { ExplainedRequest, ExplainQuestion } from './explain-question.ts'
import { BadQuestion, readQuestion } from './explain-question.ts'

export interface Explanation {
  listener: string
  request: { method: string; host: string; path: string; query: string; clientIp: string }
  /** In the order they are tried; a route with several hosts or paths has a row for each pair. */
  routes: {
    route: string
    line: number
    match: string
    verdict: ExplainedRoute['verdict']
    failed: ExplainedRoute['failed']
    reasons: readonly string[]
  }[]
  /** Where the answering route stands; null when none matches. */
  chosen: string | null
  action: ExplainedAction | null
}

type ExplainedAction =
  | {
      kind: 'forward'
      split: { upstream: string; share: number; servers: string[] }[]
      target: string
      host: string
      headers: string[]
      functions: string[]
    }
  | { kind: 'redirect'; status: number; location: string; functions: string[] }
  | { kind: 'answer'; status: number; body: string; functions: string[] }

interface ExplainArguments {
  method: string
  url: string
  header: string[]
  'client-ip': string
  config: string | undefined
  listener: string | undefined
  json: boolean
}

/** `weir explain METHOD URL`. Exit codes: 0 a route answers, 1 invalid config, 2 bad usage, 4 no route matches. */
export const explainCommand: CommandModule<object, ExplainArguments> = {
  command: 'explain <method> <url>',
  describe: 'Show which route answers a request, and why',
  builder: (yargs) =>
    yargs
      .positional('method', { type: 'string', demandOption: true, describe: 'Method, such as GET' })
      .positional('url', { type: 'string', demandOption: true, describe: 'http://host/path?query' })
      .option('header', {
        alias: 'H',
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: "A header, 'name: value'; may be repeated",
      })
      .option('client-ip', { type: 'string', default: '127.0.0.1', describe: 'Address of the client' })
      .option('config', { alias: 'c', type: 'string', describe: 'Config file; weir.yaml and the like in this directory when not given' })
      .option('listener', { type: 'string', describe: 'Listener; when not given, the one bound to the port of the URL, else the first' })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' }),
  handler: async (args) => {
    process.exitCode = await run(args)
  },
}

async function run({ method, url, header: headers, listener, config: file, json, ...rest }: ExplainArguments): Promise<number> {
  const path = file ?? findConfig('.')
  if (path === null) return failed('no weir.yaml, weir.json or weir.config.ts in this directory\n', 1)
  const loaded = await loadConfig(path)
  if (!loaded.ok) return failed(renderProblems(loaded.problems), 1)
  try {
    const data = explain(loaded.config, { method, url, headers, clientIp: rest['client-ip'], listener })
    process.stdout.write(json ? `${JSON.stringify(envelope(data))}\n` : explanationText(data))
    return data.action === null ? 4 : 0
  } catch (error) {
    if (error instanceof BadQuestion) return failed(`${error.message}\n`, 2)
    throw error
  }
}

function failed(message: string, code: number): number {
  process.stderr.write(message)
  return code
}

function envelope(data: Explanation): Record<string, unknown> {
  return { schema: 'weir.explain/1', generation: null, time: new Date().toISOString(), data }
}

/** Which route of a config answers a request, why, and what becomes of the request. Throws BadQuestion. */
export function explain(config: Config, question: ExplainQuestion): Explanation {
  const request = readQuestion(config, question)
  const { head, host, path, listener } = request
  const routes = explainRoutes(compileRouter(listener.routes), host, path, head)
  const chosen = routes.find((row) => row.verdict === 'chosen')?.route.config ?? null
  return {
    listener: listener.name,
    request: { method: head.method, host, path, query: head.query, clientIp: head.clientIp },
    routes: routes.map(({ route, ...row }) => ({ route: route.config.place.path, line: route.config.place.line, ...row })),
    chosen: chosen?.place.path ?? null,
    action: chosen === null ? null : actionOf(config, chosen, request),
  }
}

function actionOf(config: Config, route: RouteConfig, request: ExplainedRequest): ExplainedAction {
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

function locationOf(to: string, { head, host, port, path }: ExplainedRequest): string {
  const redirect = compileRedirect(to)
  if (redirect.kind === 'static') return redirect.location
  return redirect.location({ scheme: 'http', host, port, path, query: head.query, clientIp: head.clientIp })
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

/** For a terminal. Routes of other hosts can be thousands and say little, so they are only counted. */
export function explanationText({ request, listener, routes, action }: Explanation): string {
  const others = routes.filter((row) => row.failed === 'host').length
  const query = request.query === '' ? '' : `?${request.query}`
  const lines = [
    `request   ${request.method} ${request.host}${request.path}${query} from ${request.clientIp}`,
    `listener  ${listener}`,
    'routes    in the order they are tried',
    ...routes.filter((row) => row.failed !== 'host').map(routeLine),
    ...(others === 0 ? [] : [`  skipped      ${others} for other hosts`]),
    ...(action === null ? ['answer    404, no route matches'] : actionLines(action)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function routeLine({ route, line, match, verdict, reasons }: Explanation['routes'][number]): string {
  const why = verdict === 'not-reached' ? ['matches too, but a more specific route answers'] : reasons
  return `  ${verdict.padEnd(11)}  ${route} (line ${line}): ${match}${why.length === 0 ? '' : ` – ${why.join('; ')}`}`
}

function actionLines(action: ExplainedAction): string[] {
  const decides = action.functions.map((name) => `function  ${name} of this route may decide otherwise`)
  if (action.kind === 'answer') return [`answer    ${action.status}`, ...decides]
  if (action.kind === 'redirect') return [`redirect  ${action.status} to ${action.location}`, ...decides]
  return [
    ...action.split.map((entry) => `upstream  ${entry.upstream}${shareText(entry.share)}: ${entry.servers.join(', ') || 'no servers'}`),
    `target    ${action.target}`,
    `host      ${action.host}`,
    ...action.headers.map((text) => `header    ${text}`),
    ...decides,
  ]
}

function shareText(share: number): string {
  return share === 1 ? '' : ` ${Number((share * 100).toFixed(3))}%`
}
