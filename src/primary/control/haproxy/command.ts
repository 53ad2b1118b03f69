import type { Operation } from '../operation.ts'
import type { Caller } from '../verb.ts'

/** One of HAProxy's commands. */
export interface HaproxyCommand {
  /** The words that it begins with. */
  words: readonly string[]
  /** For `help`: the whole command, and what it does. */
  usage: string
  text: string
  /** `args`: what follows the words. Answers the text, '' for nothing to say; throws HaproxyError or ControlError. */
  run(operation: Operation, args: readonly string[], caller: Caller): string | Promise<string>
}

/** Something was not done; the message is what HAProxy says. */
export class HaproxyError extends Error {}
