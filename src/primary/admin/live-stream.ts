/** Live views as server-sent events: one a second and window, and one soon after a change; made once for all who watch. */
import type { ServerResponse } from 'node:http'
import type { WindowName } from '../../shared/statistics/live.ts'
import type { Statistics } from '../statistics/statistics.ts'
import { beginStream } from './respond.ts'

const EVERY_MS = 1_000
/** So often it is looked whether something has changed. Not oftener: many servers may change at once, for long. */
const LOOK_MS = 250
/** Who has not read the view before by then is not watching. */
const MOST_LATE = 10

interface Viewer {
  response: ServerResponse
  /** Views that were left out because the one before is still on its way. */
  late: number
}

export class LiveStreams {
  readonly #statistics: Pick<Statistics, 'live' | 'renewViews'>
  readonly #most: number
  /** Another number after each change of what views show. */
  readonly #version: () => number
  readonly #viewers = new Map<WindowName, Set<Viewer>>()
  #timer: NodeJS.Timeout | undefined
  #seen = 0
  #toldMs = 0

  constructor(statistics: Pick<Statistics, 'live' | 'renewViews'>, most: number, version: () => number) {
    this.#statistics = statistics
    this.#most = most
    this.#version = version
  }

  get size(): number {
    let sum = 0
    for (const viewers of this.#viewers.values()) sum += viewers.size
    return sum
  }

  /** Sends views from now on; false: there are too many already. */
  add(response: ServerResponse, window: WindowName): boolean {
    if (this.size >= this.#most) return false
    const viewer: Viewer = { response, late: 0 }
    const viewers = this.#viewers.get(window) ?? new Set()
    this.#viewers.set(window, viewers.add(viewer))
    response.once('close', () => this.#leave(window, viewer))
    beginStream(response)
    // Late ones are dropped by count, and a stream has no end that a deadline could watch.
    response.socket?.setTimeout(0)
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
    void this.#tell(window, [viewer])
    return true
  }

  close(): void {
    clearInterval(this.#timer)
    for (const viewers of this.#viewers.values()) for (const { response } of viewers) response.end()
  }

  #leave(window: WindowName, viewer: Viewer): void {
    this.#viewers.get(window)?.delete(viewer)
    if (this.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const version = this.#version()
    const hasChanged = version !== this.#seen
    // A timer comes a little early or late.
    if (!hasChanged && performance.now() - this.#toldMs < EVERY_MS - LOOK_MS / 2) return
    this.#seen = version
    if (hasChanged) this.#statistics.renewViews()
    this.#toldMs = performance.now()
    this.#tellAll()
  }

  #tellAll(): void {
    for (const [window, viewers] of this.#viewers) if (viewers.size > 0) void this.#tell(window, viewers)
  }

  async #tell(window: WindowName, viewers: Iterable<Viewer>): Promise<void> {
    let event: Buffer
    try {
      event = Buffer.concat([Buffer.from('event: live\ndata: '), await this.#statistics.live(window), Buffer.from('\n\n')])
    } catch {
      // Whoever watches sees that nothing comes; the next second may be better.
      return
    }
    for (const viewer of [...viewers]) {
      if (viewer.response.writableLength === 0) {
        viewer.late = 0
        viewer.response.write(event)
      } else if (++viewer.late > MOST_LATE) viewer.response.destroy()
    }
  }
}
