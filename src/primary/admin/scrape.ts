/** `GET /metrics`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { contentTypes, type ExpositionFormat } from '../statistics/exposition-writer.ts'
import type { Statistics } from '../statistics/statistics.ts'
import { sendLarge } from './respond.ts'

/** Scrapers that read slowly keep what they read in memory: those with the oldest answers are broken off before it grows. */
export class Scrapes {
  readonly #statistics: Pick<Statistics, 'scrape'>
  readonly #most: number
  /** Who still reads an answer, the oldest answers first. */
  readonly #reading = new Map<Uint8Array, Set<ServerResponse>>()

  constructor(statistics: Pick<Statistics, 'scrape'>, most: number) {
    this.#statistics = statistics
    this.#most = most
  }

  async answer({ headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const format = formatFor(headers.accept)
    const bytes = await this.#statistics.scrape(format)
    if (response.destroyed) return
    this.#hold(bytes, response)
    await sendLarge(response, 200, bytes, { 'Content-Type': contentTypes[format], Vary: 'Accept' })
  }

  #hold(bytes: Uint8Array, response: ServerResponse): void {
    const readers = this.#reading.get(bytes) ?? new Set()
    this.#reading.set(bytes, readers.add(response))
    response.once('close', () => {
      readers.delete(response)
      if (readers.size === 0) this.#reading.delete(bytes)
    })
    const [oldest] = this.#reading
    if (this.#reading.size <= this.#most || oldest === undefined) return
    this.#reading.delete(oldest[0])
    for (const reader of oldest[1]) reader.destroy()
  }
}

/** OpenMetrics for those who prefer it to plain text, by the weights of RFC 9110 section 12.4.2. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  const weights = (accept ?? '').split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    return { type, q: q === undefined ? 1 : Number(q.slice(2)) || 0 }
  })
  const weightOf = (types: string[]) => Math.max(0, ...weights.filter(({ type }) => types.includes(type)).map(({ q }) => q))
  const open = weightOf(['application/openmetrics-text'])
  return open > 0 && open >= weightOf(['text/plain']) ? 'openmetrics' : 'text'
}
