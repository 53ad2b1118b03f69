import { parseCookieName, parseHeaderName } from './header-rules.ts'
import type { HashKey } from './model.ts'
import { nearest } from './nearest.ts'
import { expected, type Parsed, parsed } from './parsed.ts'

const forms = 'header:NAME, cookie:NAME, query:NAME, path or client-ip'

/** What is hashed: `header:x-user`, `cookie:name`, `query:name`, `path` or `client-ip`. Header names become lower case. */
export function parseHashKey(text: string): Parsed<HashKey> {
  if (text === 'path' || text === 'client-ip') return parsed({ from: text })
  const [, from = '', name = ''] = /^([^:]*):(.*)$/.exec(text) ?? []
  if (from === 'query' && name !== '') return parsed({ from, name })
  if (from === 'header' || from === 'cookie') {
    const checked = from === 'header' ? parseHeaderName(name) : parseCookieName(name)
    return checked.ok ? parsed({ from, name: checked.value }) : expected(`a ${from} name after ${from}:`, text)
  }
  return expected(forms, text, hintOf(text))
}

function hintOf(text: string): string | null {
  const [word = '', ...rest] = text.split(':')
  const guess = nearest(word, rest.length > 0 ? ['header', 'cookie', 'query'] : ['path', 'client-ip'])
  return guess === null || guess === word ? null : `did you mean "${[guess, ...rest].join(':')}"?`
}
