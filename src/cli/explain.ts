import type { CommandModule } from 'yargs'
import type { Config, ListenerConfig, RouteConfig } from '../shared/config/model.ts'
import { findConfig, loadConfig } from '../shared/config/load.ts'
import { renderProblems } from '../shared/config/problem.ts'
import type { ExplainedRoute } from '../worker/route/explain.ts'
import { explainRoutes } from '../worker/route/explain.ts'
import type { HeadReader } from '../worker/route/head-reader.ts'
import { normalizePath } from '../worker/route/normalize-path.ts'
import { compileRedirect } from '../worker/route/redirect.ts'
import { applyRewrite, compileRewrite, targetOf } from '../worker/route/rewrite.ts'
import { compileRouter } from '../worker/route/router.ts'

export interface ExplainQuestion {
  method: string
  /** `http://host[:port]/path?query`, or `host/path`. */
  url: string
  /** Each `name: value`. */
  headers: readonly string[]
  clientIp: string
  /** Name of a listener; undefined for the one that is bound to the port of the URL, else the first. */
  listener: string | undefined
}

export interface Explanation {
  listener: string
  request: { method: string; host: string; path: string; query: string; clientIp: string }
  routes: { route: string; line: number; match: string; verdict: ExplainedRoute['verdict']; failed: ExplainedRoute['failed']; reasons: readonly string[] }[]
  /** Where the answering route stands; null when none matches. */
  chosen: string | null
  action: ExplainedAction | null
}

type ExplainedAction =
  | { kind: 'forward'; split: { upstream: string; share: number }[]; target: string; host: string; decidedBy: string[] }
  | { kind: 'redirect'; status: number; location: string }
  | { kind: 'answer'; status: number; body: string }

/** What the user asked for cannot be a request, or names a listener that does not exist: exit code 2. */
export class BadQuestion extends Error {}

/** Which route of a config answers a request, why, and what becomes of it. Throws BadQuestion. */
export function explain(config: Config, question: ExplainQuestion): Explanation {
  const url = urlOf(question.url)
  const listener = listenerFor(config, question.listener, portOf(url))
  const path = normalizePath(rawPathOf(question.url))
  if (path === null) throw new BadQuestion('the path has a broken escape or leaves the root: weir answers 400')
  const head = headOf(question, url.search.slice(1))
  // As the parser does: a Host header that is given counts, here for routing without its port.
  const authority = head.header('host') ?? url.host
  const host = authority.toLowerCase().replace(/:\d+$/, '')
  const routes = explainRoutes(compileRouter(listener.routes), host, path, head)
  const chosen = routes.find((route) => route.verdict === 'chosen')?.route.config ?? null
  const request = { method: head.method, host, path, query: head.query, clientIp: head.clientIp }
  return {
    listener: listener.name, request, routes: routes.map(shownRoute), chosen: chosen?.place.path ?? null,
    action: chosen === null ? null : actionOf(chosen, { config, request, authority, port: listenerPort(listener) ?? portOf(url) }),
  }
}

/** For a terminal. Routes of other hosts are many on a big config and say little: they are counted. */
export function explanationText(explanation: Explanation): string {
  const { request } = explanation
  const other = explanation.routes.filter((route) => route.failed === 'host').length
  const query = request.query === '' ? '' : `?${request.query}`
  return [
    `request   ${request.method} ${request.host}${request.path}${query} from ${request.clientIp}`,
    `listener  ${explanation.listener}`,
    'routes    in the order they are tried',
    ...explanation.routes.filter((route) => route.failed !== 'host').map(routeLine),
    ...(other === 0 ? [] : [`  -  ${other} skipped: for other hosts`]),
    ...(explanation.action === null ? ['result    404, no route matches'] : actionLines(explanation.action)),
  ].map((line) => `${line}\n`).join('')
}

interface ExplainArguments {
  method: string
  url: string
  header: string[] | undefined
  'client-ip': string
  config: string | undefined
  listener: string | undefined
  json: boolean | undefined
}

/** Exit codes: 0 a route answers, 1 invalid config, 2 bad usage, 4 no route matches. */
export const explainCommand: CommandModule<object, ExplainArguments> = {
  command: 'explain <method> <url>',
  describe: 'Show which route answers a request, and why',
  builder: (yargs) => yargs
    .positional('method', { type: 'string', demandOption: true, describe: 'Method, e.g. GET' })
    .positional('url', { type: 'string', demandOption: true, describe: 'http://host/path?query' })
    .option('header', { alias: 'H', type: 'string', array: true, nargs: 1, describe: "A header of the request, 'name: value'; may be repeated" })
    .option('client-ip', { type: 'string', default: '127.0.0.1', describe: 'Address of the client' })
    .option('config', { type: 'string', describe: 'Config file' })
    .option('listener', { type: 'string', describe: 'Listener; otherwise the one bound to the port of the URL, else the first' })
    .option('json', { type: 'boolean', describe: 'Print JSON' }),
  handler: async (args) => {
    process.exitCode = await runExplain(args)
  },
}

async function runExplain(args: ExplainArguments): Promise<number> {
  const path = args.config ?? findConfig(process.cwd())
  if (path === null || path === undefined) return failed('no config file here; name one with --config', 1)
  const loaded = await loadConfig(path)
  if (!loaded.ok) return failed(renderProblems(loaded.problems).trimEnd(), 1)
  const { method, url, header: headers = [], listener } = args
  try {
    const data = explain(loaded.config, { method, url, headers, clientIp: args['client-ip'], listener })
    process.stdout.write(args.json === true ? envelope(data) : explanationText(data))
    return data.action === null ? 4 : 0
  } catch (error) {
    if (error instanceof BadQuestion) return failed(error.message, 2)
    throw error
  }
}

function failed(message: string, code: number): number {
  process.stderr.write(`${message}\n`)
  return code
}

/** No process runs this config, so there is no generation. */
function envelope(data: Explanation): string {
  return `${JSON.stringify({ schema: 'weir.explain.v1', generation: null, time: new Date().toISOString(), data }, null, 2)}\n`
}

function urlOf(text: string): URL {
  const url = URL.parse === undefined ? tryUrl(withScheme(text)) : URL.parse(withScheme(text))
  if (url === null || !url.protocol.startsWith('http')) throw new BadQuestion(`not an http or https URL: ${text}`)
  return url
}
