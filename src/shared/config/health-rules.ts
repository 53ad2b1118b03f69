import { formatDuration } from '../base/units.ts'
import type { ConfigDocument } from './document.ts'
import { durationOf, entry, isMap, items, keysOf, numberOf, oneOrItems, type Raw } from './raw.ts'
import { parseStatusRange } from './status-range.ts'

const httpKeys = ['method', 'host', 'headers', 'status', 'body', 'softStop']

/** The rules of active checks and of the agent. */
export function checkHealth(upstream: Raw, document: ConfigDocument): void {
  const health = entry(upstream, 'health')
  const agent = entry(upstream, 'agent')
  checkKind(health, document)
  checkSoftStop(health, document)
  checkTimes(health, { fallbackMs: 2000, shorter: ['timeout', 'fastInterval'] }, document)
  checkTimes(agent, { fallbackMs: 5000, shorter: ['timeout'] }, document)
  for (const section of [health, agent]) checkPort(entry(section, 'port'), upstream, document)
}

/** The rules of passive health, retries and hedging. */
export function checkFailureHandling(upstream: Raw, document: ConfigDocument): void {
  const passive = entry(upstream, 'passiveHealth')
  checkNotBelow(entry(passive, 'maxEjectFor'), { of: entry(passive, 'ejectFor'), fallbackMs: 10_000 }, document)
  const retry = entry(upstream, 'retry')
  const backoff = entry(retry, 'backoff')
  checkNotBelow(entry(backoff, 'max'), { of: entry(backoff, 'base'), fallbackMs: 25 }, document)
  const hedge = entry(upstream, 'hedge')
  if (isMap(hedge) && numberOf(entry(retry, 'attempts')) === 0)
    document.keyProblem(
      hedge.path,
      'has no effect, as retry.attempts is 0 and a hedged request is a retry',
      'remove it, or allow an attempt',
    )
}

function checkKind(health: Raw, document: ConfigDocument): void {
  const keys = keysOf(health)
  if (!keys.includes('http')) {
    for (const key of httpKeys.filter((name) => keys.includes(name)))
      document.keyProblem(entry(health, key).path, 'has no effect without http', 'name a path: http: /healthz')
  } else if (keys.includes('tcp')) document.keyProblem(entry(health, 'tcp').path, 'not together with http', 'http connects too: remove it')
  const method = entry(health, 'method').value
  if (typeof method === 'string' && method.toUpperCase() === 'HEAD' && keys.includes('body'))
    document.keyProblem(entry(health, 'body').path, 'has no effect, as the response to HEAD has no body', 'remove it, or write method: GET')
}

function checkSoftStop(health: Raw, document: ConfigDocument): void {
  const softStop = entry(health, 'softStop')
  const code = numberOf(softStop)
  const status = entry(health, 'status')
  const given = status.value === undefined ? [{ path: status.path, value: '200-399' }] : oneOrItems(status)
  const isWell = given.some(({ value }) => {
    const range = parseStatusRange(String(value))
    return code !== null && range.ok && code >= range.value[0] && code <= range.value[1]
  })
  if (isWell) document.valueProblem(softStop.path, `${code} is a status of a server that is well`, 'take it out of status')
}

/** A check has to end before the next begins. What is not given adapts itself. */
function checkTimes(section: Raw, rule: { fallbackMs: number; shorter: string[] }, document: ConfigDocument): void {
  const interval = durationOf(entry(section, 'interval')) ?? rule.fallbackMs
  for (const option of rule.shorter.map((key) => entry(section, key))) {
    const ms = durationOf(option)
    if (ms === null || ms <= interval) continue
    document.valueProblem(option.path, `${formatDuration(ms)} is longer than the interval of ${formatDuration(interval)}`)
  }
}

function checkPort(port: Raw, upstream: Raw, document: ConfigDocument): void {
  if (port.value === undefined) return
  const addresses = items(entry(upstream, 'servers')).map((server) => entry(server, 'address').value ?? server.value)
  const unix = addresses.find((address) => typeof address === 'string' && address.startsWith('unix:'))
  if (unix !== undefined) document.keyProblem(port.path, `${String(unix)} has no ports`, 'give it an upstream of its own')
}

function checkNotBelow(most: Raw, least: { of: Raw; fallbackMs: number }, document: ConfigDocument): void {
  const [high, low] = [durationOf(most), durationOf(least.of) ?? least.fallbackMs]
  if (high === null || high >= low) return
  const key = least.of.path.split('.').at(-1)
  document.valueProblem(most.path, `expected at least ${key}, which is ${formatDuration(low)}, found ${formatDuration(high)}`)
}
