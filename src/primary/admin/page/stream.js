// The connection to weir: asks once, which tells of a missing login, then listens to one view per second. When it is lost it is tried
// again, less and less often; the page learns how it stands at every moment.

const STALE_MS = 3_500
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 8_000

export class LiveStream {
  #window = '10s'
  #onView
  #onLink
  #events = null
  #retryMs = FIRST_RETRY_MS
  #timer = null
  #run = 0
  #lastAt = 0
  #state = 'connecting'

  /** `onView(view)` gets every view; `onLink(state, secondsOld)` one of connecting, live, stale, lost, locked, each second. */
  constructor({ onView, onLink }) {
    this.#onView = onView
    this.#onLink = onLink
    setInterval(() => this.#tell(), 1_000)
    // A page that was asleep must not wait for the end of a pause.
    addEventListener('online', () => this.#hurry())
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#hurry())
  }

  get window() {
    return this.#window
  }

  /** Begins, or begins anew with another stretch of time. */
  async open(window = this.#window) {
    this.#window = window
    this.#close()
    const run = ++this.#run
    try {
      const answer = await fetch(`api/live?window=${window}`, { headers: { accept: 'application/json' } })
      if (run !== this.#run) return
      if (answer.status === 401) return this.#set('locked')
      if (!answer.ok) throw new Error(`status ${answer.status}`)
      const { data } = await answer.json()
      if (run !== this.#run) return
      this.#take(data)
      this.#listen(run)
    } catch {
      if (run === this.#run) this.#retry()
    }
  }

  #listen(run) {
    const events = new EventSource(`api/live/stream?window=${this.#window}`)
    this.#events = events
    events.addEventListener('live', ({ data }) => run === this.#run && this.#take(JSON.parse(data)))
    // What the browser would try again by itself is asked first, since only an answer tells why.
    events.addEventListener('error', () => run === this.#run && this.#retry())
  }

  #take(view) {
    this.#lastAt = performance.now()
    this.#retryMs = FIRST_RETRY_MS
    this.#set('live')
    this.#onView(view)
  }

  #retry() {
    this.#close()
    this.#set('lost')
    this.#timer = setTimeout(() => this.open(), this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }

  #hurry() {
    if (this.#state === 'lost') this.open()
  }

  #close() {
    clearTimeout(this.#timer)
    this.#events?.close()
    this.#events = null
  }

  #set(state) {
    this.#state = state
    this.#tell()
  }

  #tell() {
    const ageMs = performance.now() - this.#lastAt
    if (this.#state === 'live' && ageMs > STALE_MS) this.#state = 'stale'
    this.#onLink(this.#state, this.#lastAt === 0 ? null : Math.round(ageMs / 1_000))
  }
}
