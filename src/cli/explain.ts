import type { CommandModule } from 'yargs'
import { findConfig, loadConfig } from '../shared/config/load.ts'
import type { Config } from '../shared/config/model.ts'
import { renderProblems } from '../shared/config/problem.ts'
import type { ExplainedRoute } from '../worker/route/explain.ts'
import { explainConnection, explainRoutes } from '../worker/route/explain.ts'
import { compileRouter } from '../worker/route/router.ts'
import type { ExplainedAction } from './explain-action.ts'
import { actionOf, connectOf } from './explain-action.ts'
import type { ConnectionQuestion } from './explain-connection.ts'
import { isConnectionUrl, readConnection } from './explain-connection.ts'
import { BadQuestion } from './explain-listener.ts'
import type { ExplainQuestion } from './explain-question.ts'
import { readQuestion } from './explain-question.ts'
import { explanationText } from './explain-text.ts'

export interface Explanation {
  listener: string
  /** Null for a connection. */
  request: { method: string; host: string; path: string; query: string; clientIp: string } | null
  /** Null for a request. */
  connection: { protocol: 'tcp' | 'tls'; port: number; sni: string; alpn: readonly string[]; clientIp: string } | null
  /** In the order they are tried; a route with several hosts, paths or server names has a row for each. */
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

interface ExplainArguments {
  method: string
  url: string
  header: string[]
  alpn: string[]
  tlv: string[]
  'client-ip': string
  config: string | undefined
  listener: string | undefined
  json: boolean
}

/** `weir explain METHOD URL` and `weir explain connect tls://NAME:PORT`. Exit codes: 0 a route answers, 1 invalid config, 2 bad usage, 4 no route matches. */
export const explainCommand: CommandModule<object, ExplainArguments> = {
  command: 'explain <method> <url>',
  describe: 'Show which route answers a request or takes a connection, and why',
  builder: (yargs) =>
    yargs
      .positional('method', { type: 'string', demandOption: true, describe: 'Method, such as GET; connect for TCP and TLS' })
      .positional('url', { type: 'string', demandOption: true, describe: 'http://host/path?query, tcp://host:port or tls://name:port' })
      .option('header', {
        alias: 'H',
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: "A header, 'name: value'; may be repeated",
      })
      .option('alpn', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'A protocol that a TLS client offers, such as h2; may be repeated',
      })
      .option('tlv', {
        type: 'string',
        array: true,
        nargs: 1,
        default: [],
        describe: 'A TLV of a PROXY header, type=value, such as authority=a.example; may be repeated',
      })
      .option('client-ip', { type: 'string', default: '127.0.0.1', describe: 'Address of the client' })
      .option('config', { alias: 'c', type: 'string', describe: 'Config file; weir.yaml and the like in this directory when not given' })
      .option('listener', {
        type: 'string',
        describe: 'Listener; when not given, the one bound to the port of the URL, else the first of its protocol',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
      .example('weir explain GET http://api.example.com/v1/users', 'Which route answers, and why the others do not'),
  handler: async (args) => {
    process.exitCode = await run(args)
  },
}

async function run({ config: file, json, ...args }: ExplainArguments): Promise<number> {
  const path = file ?? findConfig('.')
  if (path === null) return failed('no weir.yaml, weir.json or weir.config.ts in this directory\n', 1)
  const loaded = await loadConfig(path)
  if (!loaded.ok) return failed(renderProblems(loaded.problems), 1)
  try {
    const data = answered(loaded.config, args)
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

function answered(config: Config, args: Omit<ExplainArguments, 'config' | 'json'>): Explanation {
  const { method, url, header: headers, alpn, tlv: tlvs, listener } = args
  const clientIp = args['client-ip']
  if (!isConnectionUrl(url)) {
    if (alpn.length > 0) throw new BadQuestion('--alpn is for tls:// only')
    return explain(config, { method, url, headers, tlvs, clientIp, listener })
  }
  if (method.toLowerCase() !== 'connect') throw new BadQuestion(`a connection has no method: weir explain connect ${url}`)
  if (headers.length > 0) throw new BadQuestion('--header is for requests only')
  return explainConnect(config, { url, alpn, tlvs, clientIp, listener })
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
    connection: null,
    routes: routes.map(rowOf),
    chosen: chosen?.place.path ?? null,
    action: chosen === null ? null : actionOf(config, chosen, request),
  }
}

/** Which route of a config takes a connection, and why. Throws BadQuestion. */
export function explainConnect(config: Config, question: ConnectionQuestion): Explanation {
  const { head, listener } = readConnection(config, question)
  const routes = explainConnection(compileRouter(listener.routes), head)
  const chosen = routes.find((row) => row.verdict === 'chosen')?.route.config ?? null
  const protocol = listener.tls === null ? (listener.protocol as 'tcp' | 'tls') : 'tls'
  return {
    listener: listener.name,
    request: null,
    connection: { protocol, port: head.localPort, sni: head.sni, alpn: head.alpn, clientIp: head.clientIp },
    routes: routes.map(rowOf),
    chosen: chosen?.place.path ?? null,
    action: chosen === null ? null : connectOf(config, chosen),
  }
}

function rowOf({ route, ...row }: ExplainedRoute): Explanation['routes'][number] {
  return { route: route.config.place.path, line: route.config.place.line, ...row }
}
