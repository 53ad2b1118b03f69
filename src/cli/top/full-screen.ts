import type { ReadStream, WriteStream } from 'node:tty'
import type { LiveView } from '../../shared/statistics/live.ts'
import type { ControlSession } from '../control-command.ts'
import { CommandError, Interrupted } from '../control-errors.ts'
import { type Display, openDisplay } from './display.ts'
import { frame } from './frame.ts'
import { keysOf } from './keys.ts'
import type { FrameSize } from './line.ts'
import { type Effect, pressed } from './press.ts'
import type { Command, TopState } from './top-state.ts'

const EVERY_MS = 1_000
const ANSWER_MS = 10_000

/** Where it is drawn, and how. */
export interface Place extends Pick<FrameSize, 'hasColour' | 'hasUnicode'> {
  stdin: ReadStream
  stdout: WriteStream
}

/** Shows the view and asks for a new one each second until somebody quits. Answers the exit code. */
export async function fullScreen(session: ControlSession, first: LiveView, state: TopState, place: Place): Promise<number> {
  const screen = new FullScreen(session, first, state, place)
  try {
    return await screen.run()
  } finally {
    screen.close()
  }
}

class FullScreen {
  readonly #session: ControlSession
  readonly #place: Place
  readonly #display: Display
  #view: LiveView
  #state: TopState
  #timer: NodeJS.Timeout | undefined
  #end: (exit: number) => void = () => undefined
  #fail: (error: unknown) => void = () => undefined

  constructor(session: ControlSession, view: LiveView, state: TopState, place: Place) {
    this.#session = session
    this.#view = view
    this.#state = state
    this.#place = place
    this.#display = openDisplay(place.stdin, place.stdout, { onInput: (text) => this.#take(text), onChange: () => this.#draw() })
  }

  run(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
      this.#session.signal.addEventListener('abort', () => resolve(130), { once: true })
      this.#draw()
      this.#askLater()
    })
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#display.close()
  }

  #draw(): void {
    this.#display.draw(frame(this.#view, { ...this.#display.size(), ...this.#place }, this.#state))
  }

  #take(text: string): void {
    for (const key of keysOf(text)) {
      const { state, effect } = pressed(this.#state, key, this.#view)
      this.#state = state
      if (effect !== undefined) this.#perform(effect)
    }
    this.#draw()
  }

  #perform(effect: Effect): void {
    if (effect.do === 'quit') this.#end(effect.exit)
    else if (effect.do === 'suspend') this.#display.suspend()
    else if (effect.do === 'command') void this.#command(effect.command)
    else void this.#ask()
  }

  #askLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), EVERY_MS)
  }

  /** Gets the next view; a weir that does not answer is asked again, as it may be upgrading. */
  async #ask(): Promise<void> {
    clearTimeout(this.#timer)
    const { window } = this.#state
    try {
      const { data } = await this.#session.ask('live', { window }, { withinMs: ANSWER_MS })
      this.#view = data
      this.#state = { ...this.#state, problem: null }
    } catch (error) {
      if (error instanceof Interrupted) return this.#end(130)
      if (!(error instanceof Error)) return this.#fail(error)
      this.#state = { ...this.#state, problem: error.message }
    }
    this.#draw()
    this.#askLater()
  }

  async #command({ verb, ...request }: Command): Promise<void> {
    this.#say(`${verb} ${request.server}: asking …`, false)
    try {
      const { data } = await this.#session.ask(verb, request as { server: string; weight: string }, { withinMs: ANSWER_MS })
      this.#say(data.what, false)
      await this.#ask()
    } catch (error) {
      if (error instanceof Interrupted) return this.#end(130)
      if (error instanceof CommandError && error.exit === 5 && error.message.includes('--force'))
        return this.#offerForce({ verb, ...request }, error.message)
      this.#say(error instanceof Error ? error.message : String(error), true)
    }
  }

  /** A command that would leave an upstream without a server is done only when it is said twice. */
  #offerForce(command: Command, message: string): void {
    const text = `Refused: ${message.replace(/; use --force .*$/, '')}. Do it all the same?`
    if (this.#state.mode.at === 'table')
      this.#state = { ...this.#state, message: null, mode: { at: 'question', text, command: { ...command, force: true } } }
    else this.#state = { ...this.#state, message: { text, isBad: true } }
    this.#draw()
  }

  #say(text: string, isBad: boolean): void {
    this.#state = { ...this.#state, message: { text, isBad } }
    this.#draw()
  }
}
