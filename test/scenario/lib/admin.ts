/** Asks the HTTP interface of a running balancer. */
import { parseExposition, type Read } from '../../unit/statistics/lib/exposition-reader.ts'
import type { Balancer } from './balancer.ts'

/** `http://127.0.0.1:41234`, as the balancer has told it. @throws where it has none */
export function adminUrl(weir: Pick<Balancer, 'log'>): string {
  const url = /the HTTP interface is at (\S+)/.exec(weir.log())?.[1]
  if (url === undefined) throw new Error(`no HTTP interface: ${weir.log()}`)
  return url
}

/** What a scraper reads. */
export async function scrape(weir: Pick<Balancer, 'log'>, headers: Record<string, string> = {}): Promise<Read & { text: string }> {
  const response = await fetch(`${adminUrl(weir)}/metrics`, { headers })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`)
  return { text, ...parseExposition(text) }
}

/** The data of a verb. */
export async function post<D = Record<string, unknown>>(weir: Pick<Balancer, 'log'>, verb: string, body: object = {}): Promise<D> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${adminUrl(weir)}/api/${verb}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const answer = (await response.json()) as { data: D; error?: { message: string } }
  if (answer.error !== undefined) throw new Error(`status ${response.status}: ${answer.error.message}`)
  return answer.data
}
