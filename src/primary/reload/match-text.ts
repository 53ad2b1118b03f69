import type { Match, PathMatch, ValueMatch } from '../../shared/config/model.ts'
import { portRangeText } from '../../shared/config/port-range.ts'
import { tlvTypeText } from '../../shared/config/tlv-types.ts'

/** A match as people speak of it: `api.example.com /v1/ method GET`; `everything` for an empty one. */
export function matchText(match: Match): string {
  const parts = conditions(match)
  return parts.length === 0 ? 'everything' : parts.join(' ')
}

function conditions(match: Match): string[] {
  return [
    ...anyOf('', match.host),
    ...anyOf('', match.path?.map(pathText)),
    ...anyOf('sni ', match.sni),
    ...anyOf('alpn ', match.alpn),
    ...anyOf('method ', match.method),
    ...values('header', match.header),
    ...values('query', match.query),
    ...values('cookie', match.cookie),
    ...anyOf('from ', match.clientIp),
    ...anyOf('port ', match.port?.map(portRangeText)),
    ...values('TLV', renamed(match.proxyTlv)),
    ...nested('any of', match.any),
    ...nested('all of', match.all),
    ...nested('not', match.not === undefined ? undefined : [match.not]),
  ]
}

function anyOf(word: string, items: readonly string[] | undefined): string[] {
  return items === undefined ? [] : [`${word}${items.join(' or ')}`]
}

/** As it stands in the file. */
function pathText({ kind, value }: PathMatch): string {
  if (kind === 'exact') return `=${value}`
  return kind === 'regex' ? `~${value}` : value
}

function values(word: string, by: Record<string, ValueMatch> | undefined): string[] {
  return Object.entries(by ?? {}).map(([name, value]) => `${word} ${name}${valueText(value)}`)
}

function valueText(value: ValueMatch): string {
  if (value === true) return ''
  if (value === false) return ' absent'
  if (Array.isArray(value)) return ` ${value.map((item) => valueText(item).trim()).join(' or ')}`
  return typeof value === 'string' ? ` ${value}` : ` ~${value.regex}`
}

function renamed(tlvs: Match['proxyTlv']): Match['proxyTlv'] {
  if (tlvs === undefined) return undefined
  return Object.fromEntries(Object.entries(tlvs).map(([type, value]) => [tlvTypeText(type), value]))
}

function nested(word: string, matches: readonly Match[] | undefined): string[] {
  return matches === undefined ? [] : [`${word} (${matches.map(matchText).join('; ')})`]
}
