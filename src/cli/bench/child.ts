/** A process of a bench that talks to its parent over a channel. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type EntryPoint, entryPoint } from '../../shared/base/program-files.ts'

const STARTS_MS = 20_000
const ANSWERS_MS = 10_000

interface Message {
  type: string
}

export class Child<To extends Message, From extends Message> {
  readonly #process: ChildProcess
  readonly #name: string
  #stderr = ''

  constructor(entry: EntryPoint) {
    this.#name = entry
    // What it prints belongs to messages about it, not on the terminal. It inherits --import and the like, with which sources run.
    this.#process = fork(fileURLToPath(entryPoint(entry)), [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-2_000)
    })
    // A process that cannot be told anything has ended, which whoever waits for it sees.
    this.#process.on('error', () => undefined)
  }

  tell(message: To): void {
    if (this.#process.connected) this.#process.send(message)
  }

  on<T extends From['type']>(type: T, listener: (message: Extract<From, { type: T }>) => void): void {
    this.#process.on('message', (message: From) => {
      if (message.type === type) listener(message as Extract<From, { type: T }>)
    })
  }

  /** The next message of that type. Rejects when the process ends before, or after so many milliseconds. */
  hear<T extends From['type']>(type: T, withinMs: number = ANSWERS_MS): Promise<Extract<From, { type: T }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(this.#fault(`did not say "${type}" within ${withinMs} ms`))), withinMs)
      const ended = () => settle(() => reject(this.#fault('ended early')))
      const heard = (message: From) => {
        if (message.type === type) settle(() => resolve(message as Extract<From, { type: T }>))
        else if (message.type === 'failed') settle(() => reject(this.#fault('message' in message ? String(message.message) : 'failed')))
      }
      const settle = (then: () => void) => {
        clearTimeout(timer)
        this.#process.off('message', heard).off('exit', ended)
        then()
      }
      this.#process.on('message', heard).once('exit', ended)
      if (this.hasEnded) ended()
    })
  }

  /** A question and its answer. */
  ask<T extends From['type']>(message: To, type: T, withinMs: number = type === 'serving' ? STARTS_MS : ANSWERS_MS) {
    const answer = this.hear(type, withinMs)
    this.tell(message)
    return answer
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null || this.#process.pid === undefined
  }

  /** Fulfilled when the process is gone. */
  async gone(): Promise<void> {
    if (!this.hasEnded) await once(this.#process, 'exit')
  }

  /** Ends it by force; it holds nothing that must be put in order. */
  async end(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.gone()
  }

  #fault(what: string): Error {
    return new Error(`${this.#name} ${what}${this.#stderr === '' ? '' : `: ${this.#stderr.trim()}`}`)
  }
}
