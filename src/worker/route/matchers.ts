import type { Match, PortRange, ValueMatch } from '../../shared/config/model.ts'
import { portRangeText } from '../../shared/config/port-range.ts'
import { tlvTypeText } from '../../shared/config/tlv-types.ts'
import { AddressSet } from './address-set.ts'
import type { HeadReader } from './head-reader.ts'
import { canonicalHost, compileHost, hostMatches, hostText } from './host-pattern.ts'
import { cookieValue, queryParameter } from './parameters.ts'
import { compilePath, pathMatches, pathText } from './path-pattern.ts'
import { compileValue, valueText } from './value-match.ts'

/** One thing that must hold for a route besides its host and path, or its server name. Pure; compiled once. */
export interface Condition {
  /** What is asked for, e.g. `header x-env "prod"`. */
  readonly text: string
  test(head: HeadReader, path: string, host: string): boolean
  /** What the request has instead, in words; for explain only. */
  seen(head: HeadReader, path: string, host: string): string
}

/** The conditions of a route, cheapest first. Its own host, path and server name are left out: the router looks those up. */
export function compileConditions(match: Match): Condition[] {
  return [
    ...(match.port === undefined ? [] : [portCondition(match.port)]),
    ...(match.method === undefined ? [] : [methodCondition(match.method)]),
    ...valueConditions('header', match.header, (head, name) => head.header(name)),
    ...(match.clientIp === undefined ? [] : [clientIpCondition(match.clientIp)]),
    ...(match.alpn === undefined ? [] : [alpnCondition(match.alpn)]),
    ...tlvConditions(match.proxyTlv),
    ...valueConditions('query', match.query, (head, name) => queryParameter(head.query, name)),
    ...valueConditions('cookie', match.cookie, (head, name) => cookieValue(head.header('cookie'), name)),
    ...(match.all ?? []).flatMap(nestedConditions),
    ...(match.any === undefined ? [] : [anyCondition(match.any)]),
    ...(match.not === undefined ? [] : [notCondition(match.not)]),
  ]
}

/**
 * How specific a route is besides host, path and server name. Method, client address, port, ALPN, `not` and each header, query
 * parameter, cookie and TLV count one; `all` counts what it holds, `any` as much as its least specific member.
 */
export function countConditions(match: Match): number {
  const names = [match.header, match.query, match.cookie, match.proxyTlv].reduce((sum, record) => sum + Object.keys(record ?? {}).length, 0)
  const single = [match.method, match.clientIp, match.port, match.alpn, match.not].filter((field) => field !== undefined).length
  const all = (match.all ?? []).reduce((sum, member) => sum + countNested(member), 0)
  const any = match.any === undefined ? 0 : Math.min(...match.any.map(countNested))
  return names + single + all + (Number.isFinite(any) ? any : 0)
}

function countNested(match: Match): number {
  return countConditions(match) + [match.host, match.path, match.sni].filter((field) => field !== undefined).length
}

/** Inside `any`, `all` and `not`, host, path and server name are conditions as any other. */
function nestedConditions(match: Match): Condition[] {
  return [
    ...(match.host === undefined ? [] : [hostCondition(match.host)]),
    ...(match.path === undefined ? [] : [pathCondition(match.path)]),
    ...(match.sni === undefined ? [] : [sniCondition(match.sni)]),
    ...compileConditions(match),
  ]
}

function methodCondition(methods: readonly string[]): Condition {
  return {
    text: `method ${methods.join(' or ')}`,
    test: (head) => methods.includes(head.method),
    seen: (head) => `method is ${head.method}`,
  }
}

function portCondition(ranges: readonly PortRange[]): Condition {
  return {
    text: `port ${ranges.map(portRangeText).join(' or ')}`,
    test: ({ localPort }) => ranges.some(({ first, last }) => localPort >= first && localPort <= last),
    seen: ({ localPort }) => `port is ${localPort || 'none'}`,
  }
}

function alpnCondition(protocols: readonly string[]): Condition {
  return {
    text: `alpn ${protocols.join(' or ')}`,
    test: ({ alpn }) => alpn.some((offered) => protocols.includes(offered)),
    seen: ({ alpn }) => `alpn is ${alpn.join(', ') || 'absent'}`,
  }
}

function sniCondition(names: readonly string[]): Condition {
  const patterns = names.map(compileHost)
  return {
    text: `sni ${patterns.map(hostText).join(' or ')}`,
    test: ({ sni }) => {
      const name = canonicalHost(sni)
      return patterns.some((pattern) => hostMatches(pattern, name))
    },
    seen: ({ sni }) => `sni is ${sni || 'absent'}`,
  }
}

function tlvConditions(wanted: Record<string, ValueMatch> | undefined): Condition[] {
  return Object.entries(wanted ?? {}).flatMap(([type, match]) => {
    const number = Number(type)
    return valueConditions('proxyTlv', { [tlvTypeText(type)]: match }, (head) => head.proxyTlv(number))
  })
}

function clientIpCondition(ranges: readonly string[]): Condition {
  const set = new AddressSet(ranges)
  return {
    text: `client address in ${ranges.join(' or ')}`,
    test: (head) => set.has(head.clientIp),
    seen: (head) => `client address is ${head.clientIp || 'unknown'}`,
  }
}

type ReadValue = (head: HeadReader, name: string) => string | undefined

function valueConditions(kind: string, wanted: Record<string, ValueMatch> | undefined, read: ReadValue): Condition[] {
  return Object.entries(wanted ?? {}).map(([name, match]) => {
    const test = compileValue(match)
    return {
      text: `${kind} ${name} ${valueText(match)}`,
      test: (head) => test(read(head, name)),
      seen: (head) => `${kind} ${name} is ${quoted(read(head, name))}`,
    }
  })
}

function hostCondition(hosts: readonly string[]): Condition {
  const patterns = hosts.map(compileHost)
  return {
    text: `host ${patterns.map(hostText).join(' or ')}`,
    test: (_head, _path, host) => patterns.some((pattern) => hostMatches(pattern, host)),
    seen: (_head, _path, host) => `host is ${host}`,
  }
}

function pathCondition(paths: NonNullable<Match['path']>): Condition {
  const patterns = paths.map(compilePath)
  return {
    text: `path ${patterns.map(pathText).join(' or ')}`,
    test: (_head, path) => patterns.some((pattern) => pathMatches(pattern, path)),
    seen: (_head, path) => `path is ${path}`,
  }
}

function anyCondition(members: readonly Match[]): Condition {
  const groups = members.map(nestedConditions)
  return {
    text: `any of (${groups.map(groupText).join('; ')})`,
    test: (head, path, host) => groups.some((group) => group.every((condition) => condition.test(head, path, host))),
    seen: (head, path, host) => groups.flatMap((group) => failures(group, head, path, host)).join(', '),
  }
}

function notCondition(member: Match): Condition {
  const group = nestedConditions(member)
  return {
    text: `not (${groupText(group)})`,
    test: (head, path, host) => !group.every((condition) => condition.test(head, path, host)),
    seen: (head, path, host) => group.map((condition) => condition.seen(head, path, host)).join(', ') || 'everything matches',
  }
}

function groupText(group: readonly Condition[]): string {
  return group.map((condition) => condition.text).join(', ') || 'anything'
}

function failures(group: readonly Condition[], head: HeadReader, path: string, host: string): string[] {
  return group.filter((condition) => !condition.test(head, path, host)).map((condition) => condition.seen(head, path, host))
}

function quoted(value: string | undefined): string {
  return value === undefined ? 'absent' : JSON.stringify(value)
}
