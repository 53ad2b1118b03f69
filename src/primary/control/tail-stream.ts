/** One `tail`: batches of records as progress lines, as fast as the client reads them. */
import type { TailData } from '../../shared/control/record-data.ts'
import { ControlError } from '../../shared/control/requests.ts'
import type { RecordLine } from '../../shared/records/record-line.ts'
import type { LiveTail } from '../log/access-log.ts'
import type { Operation } from './operation.ts'
import type { Caller } from './verb.ts'

/** A client that has not read the batch before is asked again. */
const AGAIN_MS = 50
/** Between two batches: a stream must not keep the primary from its work. */
const NEXT_MS = 20

export class TailStream {
  readonly #caller: Caller
  readonly #limit: number
  readonly #tail: LiveTail
  #sent = 0
  #lost = 0
  #lostTold = 0
  #timer: NodeJS.Timeout | undefined
  #resolve: (data: TailData) => void = () => undefined
  #reject: (error: Error) => void = () => undefined

  /** Throws ControlError when there are too many. */
  constructor(records: NonNullable<Operation['records']>, request: { where: string; limit: number }, caller: Caller) {
    this.#caller = caller
    this.#limit = request.limit
    try {
      this.#tail = records.tail(request.where, {
        records: (batch, lost) => this.#take(batch, lost),
        failed: (reason) => this.#reject(new ControlError('failed', `the stream ended: ${reason}`)),
      })
    } catch (error) {
      throw new ControlError('failed', (error as Error).message)
    }
  }

  /** Settles when so many were sent as were asked for. Rejects with ControlError when the client is gone, or the stream cannot go on. */
  end(): Promise<TailData> {
    const { signal } = this.#caller
    const over = () => this.#reject(signal.reason as Error)
    return new Promise<TailData>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      if (signal.aborted) return over()
      // Says that it has begun; and a client that goes away before the first record is noticed by it.
      const isTaken = this.#caller.progress({ records: [], lost: 0 })
      if (isTaken === undefined) return reject(new ControlError('bad-request', 'a live stream needs the control socket: see weir tail'))
      signal.addEventListener('abort', over, { once: true })
    }).finally(() => {
      clearTimeout(this.#timer)
      signal.removeEventListener('abort', over)
      this.#tail.close()
    })
  }

  #take(batch: RecordLine[], lost: number): void {
    this.#lost = lost
    this.#send(batch.slice(0, this.#limit - this.#sent))
  }

  #send(records: RecordLine[]): void {
    if (records.length === 0 && this.#lost === this.#lostTold) {
      this.#next()
      return
    }
    if (this.#caller.progress({ records, lost: this.#lost }) === false) {
      this.#timer = setTimeout(() => this.#send(records), AGAIN_MS)
      return
    }
    this.#lostTold = this.#lost
    this.#sent += records.length
    if (this.#sent >= this.#limit) this.#resolve({ sent: this.#sent, lost: this.#lost })
    else this.#next()
  }

  #next(): void {
    this.#timer = setTimeout(() => this.#tail.more(), NEXT_MS)
  }
}
