/** Everything that a deploy does to the world, so that its course can be tested without one. */
import type { DataOf, RequestOf, VerbName } from '../../shared/control/requests.ts'
import type { DeployProgress } from './data.ts'
import type { DeployOptions } from './options.ts'

export interface Effects {
  /** Milliseconds on a clock that only goes forward. */
  now(): number
  /** @throws the reason of the signal, when it is aborted */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Asks the running weir. @throws CommandError, NotReachable, Interrupted */
  ask<V extends VerbName>(verb: V, request: RequestOf<V>, options: AskFor): Promise<DataOf<V>>
  /** Runs a command in a shell; ends it, with all that it started, when its time is over or the signal is aborted. Never throws. */
  run(command: ShellCommand): Promise<CommandEnd>
  /** Whether somebody accepts a connection at `host:port` or `unix:/path`. */
  reach(address: string, signal: AbortSignal): Promise<boolean>
}

export interface AskFor {
  signal: AbortSignal
  onProgress?(data: unknown): void
}

export interface ShellCommand {
  text: string
  /** Beside the environment of this process. */
  env: Record<string, string>
  timeoutMs: number
  signal: AbortSignal
  /** A line of its standard output or error, without its end. */
  onLine(line: string): void
}

/** `late`: ended by us when its time was over. `stopped`: ended by us as the signal said. */
export type CommandEnd =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  | { kind: 'late' }
  | { kind: 'stopped' }
  | { kind: 'unstartable'; message: string }

/** What every part of a deploy needs. */
export interface DeployKit {
  options: DeployOptions
  effects: Effects
  tell(event: DeployProgress): void
}

/** A step did not come to what it should: exit code 4. */
export class StepFailed extends Error {
  readonly exit = 4
}
