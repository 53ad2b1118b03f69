import type { StatusData } from '../shared/control/data.ts'
import { connectFirst } from './control-command.ts'
import { type SocketChoice, socketPaths } from './control-socket.ts'
import type { Terminal } from './terminal.ts'

/** A shell waits for it at every TAB. */
const ANSWER_MS = 500

/** Commands whose first argument is a server, or an upstream. */
const takesServer = ['drain', 'ready', 'maint', 'weight', 'remove', 'wait', 'sessions']
const takesUpstream = ['add', 'deploy']

/**
 * Names of servers or upstreams of the running weir where one of them has to stand next, else null: then the command line itself
 * knows what may come. `words` are those of the line, the last one is being written.
 */
export async function nameCompletions(words: readonly string[], choice: SocketChoice, terminal: Terminal): Promise<string[] | null> {
  const { word, cut } = lastWord(words)
  const before = words.slice(0, words.length - cut).filter((text) => !text.startsWith('-'))
  const verb = before.at(-1) ?? ''
  const isServer = takesServer.includes(verb)
  if (word.startsWith('-') || !(isServer || takesUpstream.includes(verb))) return null
  const { upstreams } = await runningStatus(choice, terminal)
  const names = isServer ? upstreams.flatMap(({ servers }) => servers.map(({ id }) => id)) : upstreams.map(({ name }) => name)
  const from = cut > 1 ? word.lastIndexOf(':') + 1 : 0
  return names.filter((name) => name.startsWith(word)).map((name) => escaped(name.slice(from), terminal.env))
}

/** bash takes `:` for the end of a word, as in `api/127.0.0.1:9001`: how many of its words are one, and that one. */
function lastWord(words: readonly string[]): { word: string; cut: number } {
  let start = words.length - 1
  while (start > 0 && (words[start] === ':' || words[start - 1] === ':')) start--
  return { word: words.slice(start).join(''), cut: words.length - start }
}

/** zsh takes `:` for the beginning of an explanation. */
function escaped(name: string, env: Terminal['env']): string {
  return env['ZSH_NAME'] !== undefined || (env['SHELL'] ?? '').includes('zsh') ? name.replaceAll(':', '\\:') : name
}

async function runningStatus(choice: SocketChoice, terminal: Terminal): Promise<StatusData> {
  const client = await connectFirst(await socketPaths(choice, terminal))
  try {
    return (await client.ask('status', {}, { withinMs: ANSWER_MS })).data
  } finally {
    client.close()
  }
}
