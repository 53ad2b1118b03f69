import { formatShare, parseShare } from '../base/units.ts'
import type { ConfigDocument } from './document.ts'
import { unknownPlaceholders } from './placeholders.ts'
import { entries, entry, keysOf, oneOrItems, type Raw } from './raw.ts'
import { actionKeys, routeSchema } from './schema/route.ts'

/** Statuses whose answers have no body (RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5). */
const bodiless = [204, 205, 304]

/** A place that names an upstream: a value, or in a split the key. */
export interface UpstreamMention extends Raw {
  isKey?: boolean
}

/** The rules of one route. `knowsUpstream` reports a name that is no upstream. */
export function checkRoute(route: Raw, knowsUpstream: (name: UpstreamMention) => void, document: ConfigDocument): void {
  checkAction(route, actionKeys, document)
  checkUpstreams(route, knowsUpstream, document)
  checkEffects(route, document)
  checkAnswer(entry(route, 'answer'), document)
  checkPlaceholders(route, document)
}

/** The same for a route of connections, without requests; what speaks of requests is refused with its protocol. */
export function checkConnectionRoute(route: Raw, knowsUpstream: (name: UpstreamMention) => void, document: ConfigDocument): void {
  checkAction(route, ['upstream', 'split'], document)
  checkUpstreams(route, knowsUpstream, document)
}

function checkUpstreams(route: Raw, knowsUpstream: (name: UpstreamMention) => void, document: ConfigDocument): void {
  knowsUpstream(entry(route, 'upstream'))
  checkSplit(entry(route, 'split'), knowsUpstream, document)
}

function checkAction(route: Raw, possible: readonly string[], document: ConfigDocument): void {
  const given = actionKeys.filter((key) => keysOf(route).includes(key))
  // A misspelled action is reported as an unknown key already.
  const isKnown = keysOf(route).every((key) => Object.hasOwn(routeSchema.properties, key))
  if (given.length === 0 && keysOf(route).length > 0 && isKnown) {
    document.valueProblem(route.path, `a route needs one of ${possible.join(', ')}`)
  }
  for (const extra of given.slice(1))
    document.keyProblem(entry(route, extra).path, `not together with ${given[0]}`, 'a route does one thing')
}

function checkSplit(split: Raw, knowsUpstream: (name: UpstreamMention) => void, document: ConfigDocument): void {
  const parts = entries(split)
  for (const { key, path } of parts) knowsUpstream({ path, value: key, isKey: true })
  const shares = parts.map(({ value }) => parseShare(String(value)))
  const known = shares.flatMap((share) => (share.ok ? [share.value] : []))
  if (parts.length === 0 || known.length < parts.length) return
  // Shares have four decimals of a percent; in that unit the sum is exact.
  const sum = known.reduce((total, share) => total + Math.round(share * 1e6), 0)
  if (sum !== 1e6) document.keyProblem(split.path, `the shares sum to ${formatShare(sum / 1e6)}, expected 100%`)
}

/** An option that can have no effect is refused: no part of a config is silently not in force. */
function checkEffects(route: Raw, document: ConfigDocument): void {
  const action = (['redirect', 'answer'] as const).find((key) => entry(route, key).value !== undefined)
  // A function may still send the request to an upstream, where all of these take effect.
  if (!action || entry(route, 'onRequest').value !== undefined) return
  const keys = ['rewrite', 'host', 'pick', 'timeouts', 'retry']
  const idle = [...keys.map((key) => entry(route, key)), entry(entry(route, 'headers'), 'request')]
  for (const { path, value } of idle) {
    if (value !== undefined) document.keyProblem(path, `has no effect, as the route has ${action} and asks no server`, 'remove it')
  }
}

function checkAnswer(answer: Raw, document: ConfigDocument): void {
  const status = entry(answer, 'status').value
  const body = entry(answer, 'body')
  if (!bodiless.includes(Number(status)) || !body.value) return
  document.valueProblem(body.path, `an answer with status ${String(status)} has no body`, 'remove it')
}

function checkPlaceholders(route: Raw, document: ConfigDocument): void {
  const headers = entry(route, 'headers')
  const edits = ['request', 'response'].flatMap((side) => ['set', 'add'].map((verb) => entry(entry(headers, side), verb)))
  for (const value of edits.flatMap((edit) => entries(edit).flatMap(oneOrItems))) checkText(value, 'header', document)
  checkText(entry(entry(route, 'redirect'), 'to'), 'redirect', document)
}

function checkText({ path, value }: Raw, where: 'header' | 'redirect', document: ConfigDocument): void {
  if (typeof value !== 'string') return
  for (const { name, guess } of unknownPlaceholders(value, where)) {
    document.valueWarning(
      path,
      `{${name}} is no placeholder and is sent as it stands`,
      guess === null ? null : `did you mean "{${guess}}"?`,
    )
  }
}
