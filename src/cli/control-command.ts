import type { Argv, CommandModule } from 'yargs'
import type { RequestOf, VerbName } from '../shared/control/requests.ts'
import { type Answered, type AskOptions, type ControlClient, connectControl } from './control-client.ts'
import { CommandError, Interrupted, NotReachable } from './control-errors.ts'
import { socketPaths } from './control-socket.ts'
import type { Screen } from './table.ts'
import type { Terminal } from './terminal.ts'

/** What every command that asks a running weir takes. */
export interface ControlArguments {
  socket: string | undefined
  config: string | undefined
  json: boolean
}

/** What the command line adds to the arguments of every command. */
export interface CommandContext {
  terminal: Terminal
}

/** A running weir, and who asked. */
export interface ControlSession {
  readonly client: ControlClient
  readonly terminal: Terminal
  readonly screen: Screen
  readonly isJson: boolean
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** The same as of the client, and ended by Ctrl-C. */
  ask<V extends VerbName>(verb: V, request: RequestOf<V>, options?: AskOptions): Promise<Answered<V>>
  /** Prints an answer: as it came for machines, else the text made of it. */
  show<V extends VerbName>(answered: Answered<V>, textOf: (answered: Answered<V>, screen: Screen) => string): void
}

/** Answers the exit code; nothing is 0. */
export type Act = (session: ControlSession) => Promise<number | undefined>

/** The options that all of them have. */
export function controlOptions<T>(yargs: Argv<T>): Argv<T & ControlArguments> {
  return yargs
    .option('socket', { type: 'string', describe: 'Control socket of the running weir; that of the config, or the usual one' })
    .option('config', { alias: 'c', type: 'string', describe: 'Config file that names the socket; weir.yaml and the like in this folder' })
    .option('json', { type: 'boolean', default: false, describe: 'Print the answer as JSON' }) as Argv<T & ControlArguments>
}

export interface ControlDefinition<A> {
  command: string
  describe: string
  /** Arguments and options of its own, with an example. */
  arguments(yargs: Argv<ControlArguments>): Argv<A>
  run(args: A, session: ControlSession): Promise<number | undefined>
}

/** A command that asks a running weir. */
export function controlCommand<A>({ command, describe, ...definition }: ControlDefinition<A>): CommandModule<object, A> {
  return {
    command,
    describe,
    builder: (yargs) => definition.arguments(controlOptions(yargs)),
    handler: (args) =>
      runControlCommand(args as unknown as ControlArguments & CommandContext, (session) => definition.run(args as A, session)),
  }
}

/**
 * Connects, runs a command and sets the exit code: 0, 1 failed, 2 bad usage, 3 not reachable, 4 not in time, 5 refused,
 * 130 interrupted. An error is a sentence on standard error, or with `--json` an envelope on standard output.
 */
export async function runControlCommand(args: ControlArguments & CommandContext, act: Act): Promise<void> {
  const { terminal, json } = args
  const interrupt = new AbortController()
  const ignore = terminal.onInterrupt(() => interrupt.abort(new Interrupted('interrupted')))
  let client: ControlClient | undefined
  try {
    client = await connectFirst(await socketPaths(args, terminal))
    terminal.setExit((await act(sessionOf(client, { terminal, isJson: json, signal: interrupt.signal }))) ?? 0)
  } catch (error) {
    terminal.setExit(tell(error, { terminal, isJson: json }))
  } finally {
    client?.close()
    ignore()
  }
}

/** Connects to the first of these sockets where somebody answers. @throws NotReachable about the first */
export async function connectFirst([first = '', ...others]: readonly string[]): Promise<ControlClient> {
  try {
    return await connectControl(first)
  } catch (error) {
    for (const path of others) {
      const client = await connectControl(path).catch(() => null)
      if (client !== null) return client
    }
    throw error
  }
}

type Asker = Pick<ControlSession, 'terminal' | 'isJson' | 'signal'>

function sessionOf(client: ControlClient, { terminal, isJson, signal }: Asker): ControlSession {
  const screen: Screen = { width: terminal.outWidth, hasColour: terminal.hasColour }
  return {
    client,
    terminal,
    screen,
    isJson,
    signal,
    ask: (verb, request, options) => client.ask(verb, request, { signal, ...options }),
    show: (answered, textOf) => terminal.out(isJson ? `${answered.line}\n` : textOf(answered, screen)),
  }
}

/** Says what went wrong and answers the exit code. @throws what is no answer but a mistake of the program */
export function tell(error: unknown, { terminal, isJson }: { terminal: Terminal; isJson: boolean }): number {
  const { code, exit, message, line } = faultOf(error)
  if (isJson) terminal.out(`${line ?? JSON.stringify(errorEnvelope(code, message, exit))}\n`)
  else terminal.err(`weir: ${message}\n`)
  return exit
}

/** What a command says for machines where no running weir has said it. */
export function errorEnvelope(code: string, message: string, exit: number): object {
  return { schema: 'weir.error/1', generation: null, time: new Date().toISOString(), error: { code, message, exit } }
}

function faultOf(error: unknown): { code: string; exit: number; message: string; line: string | null } {
  if (error instanceof CommandError) return error
  if (error instanceof NotReachable) return { code: 'not-reachable', exit: error.exit, message: error.message, line: null }
  if (error instanceof Interrupted) return { code: 'interrupted', exit: error.exit, message: error.message, line: null }
  throw error
}
