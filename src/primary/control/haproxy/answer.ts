/** Answers a line in HAProxy's words: its commands one after the other, each with an empty line behind it. */
import { ControlError } from '../../../shared/control/requests.ts'
import type { Operation } from '../operation.ts'
import type { Caller } from '../verb.ts'
import { type HaproxyCommand, HaproxyError } from './command.ts'
import { disableServer, enableServer, setServer } from './set-server.ts'
import { showInfo } from './show-info.ts'
import { showServersState } from './show-servers-state.ts'
import { showSess } from './show-sess.ts'
import { showStat } from './show-stat.ts'
import { shutdownSessions } from './shutdown-sessions.ts'
import { getWeight, setWeight } from './weight.ts'
import { commandsOf } from './words.ts'

/** In the order of `help`. */
export const haproxyCommands: readonly HaproxyCommand[] = [
  disableServer,
  enableServer,
  getWeight,
  setServer,
  setWeight,
  showInfo,
  showServersState,
  showSess,
  showStat,
  shutdownSessions,
]

/** Never rejects: what goes wrong is in the text, which ends with an empty line. */
export async function answerHaproxy(operation: Operation, line: string, caller: Caller): Promise<string> {
  const answers: string[] = []
  for (const words of commandsOf(line)) {
    if (words[0] === 'quit') break
    const text = await answerOne(operation, words, caller)
    answers.push(text === '' ? '\n' : `${text}\n\n`)
  }
  return answers.join('')
}

async function answerOne(operation: Operation, words: readonly string[], caller: Caller): Promise<string> {
  if (words[0] === 'help') return helpText(words.slice(1))
  const command = haproxyCommands.find((one) => one.words.every((word, i) => words[i] === word))
  if (command === undefined) return unknownText(words)
  try {
    return await command.run(operation, words.slice(command.words.length), caller)
  } catch (error) {
    return failureText(error)
  }
}

/** HAProxy's own words, or ours as a sentence of their own. */
function failureText(error: unknown): string {
  if (error instanceof HaproxyError) return error.message
  if (!(error instanceof ControlError)) return `Failed: ${(error as Error).message}`
  // Here it is a word of the line, not an option of a command.
  return `${error.message.replace('use --force to', 'say force at the end of the line to')}.`
}

function helpText(words: readonly string[]): string {
  const fitting = haproxyCommands.filter((command) => words.every((word, i) => command.words[i]?.startsWith(word)))
  return fitting.length === 0 ? unknownText(words) : list('The following commands are valid at this level:', fitting)
}

function unknownText(words: readonly string[]): string {
  const near = haproxyCommands.filter((command) => command.words[0] === words[0])
  return near.length === 0
    ? list('Unknown command. Please enter one of the following commands only:', haproxyCommands)
    : list('Unknown command, but maybe one of the following ones is a better match:', near)
}

function list(title: string, shown: readonly HaproxyCommand[]): string {
  const rows = shown.map(({ usage, text }) => `  ${usage.padEnd(40)}: ${text}`)
  return [title, ...rows, `  ${'help [<command>]'.padEnd(40)}: list matching or all commands`].join('\n')
}
