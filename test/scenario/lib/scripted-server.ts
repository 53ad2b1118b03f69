/** One scripted server for all tests of a file: the request's path says which script answers it. */
import { type RawServer, rawServer, response, type ServerSocket } from './raw-server.ts'
import type { Scope } from './wait.ts'

/** Answers one request whose head was read. When it returns, the connection waits for the next head. */
export type Script = (socket: ServerSocket, head: string) => Promise<void> | void

export interface ScriptedServer extends RawServer {
  /** Sets the script for requests whose target starts with `path`; bytes are a script that writes them. */
  on(path: string, script: Script | string): void
  /** Heads of the requests for this path, in order. */
  headsOf(path: string): string[]
}

/** Requests without a script get 200 and their own request line as body. */
export async function scriptedServer(scope: Scope, place: { host?: string; port?: number } = {}): Promise<ScriptedServer> {
  const scripts = new Map<string, Script>()
  const find = (target: string) =>
    [...scripts].filter(([path]) => target.startsWith(path)).sort((a, b) => b[0].length - a[0].length)[0]?.[1]
  const serve = async (socket: ServerSocket) => {
    while (socket.socket.writable && !socket.reader.ended) {
      const head = await socket.readHead(120_000)
      const [line = ''] = head.split('\r\n')
      const script = find(line.split(' ')[1] ?? '')
      if (script) await script(socket, head)
      else socket.write(response(line))
    }
  }
  const server = await rawServer(scope, serve, place)
  return Object.defineProperties({} as ScriptedServer, {
    ...Object.getOwnPropertyDescriptors(server),
    on: {
      value: (path: string, script: Script | string) =>
        scripts.set(path, typeof script === 'string' ? (socket) => socket.write(script) : script),
    },
    headsOf: { value: (path: string) => server.heads.filter((head) => head.split(' ')[1]?.startsWith(path)) },
  })
}

/** Value of a header in a head's text, undefined when it is not there; several are joined with ', '. */
export function valueIn(head: string, name: string): string | undefined {
  const prefix = `${name.toLowerCase()}:`
  const lines = head
    .split('\r\n')
    .slice(1)
    .filter((line) => line.toLowerCase().startsWith(prefix))
  return lines.length === 0 ? undefined : lines.map((line) => line.slice(prefix.length).trim()).join(', ')
}
