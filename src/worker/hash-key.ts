import type { HashKey } from '../shared/config/model.ts'
import type { HeadReader } from './route/head-reader.ts'
import { cookieValue, queryParameter } from './route/parameters.ts'

/** The key of a request, '' when it has none. A key that a function makes is not made here. */
export function hashKeyOf(key: HashKey, head: HeadReader, path: string): string {
  switch (key.from) {
    case 'header':
      return head.header(key.name) ?? ''
    case 'cookie':
      return cookieValue(head.header('cookie') ?? '', key.name) ?? ''
    case 'query':
      return queryParameter(head.query, key.name) ?? ''
    case 'path':
      return path
    default:
      return ''
  }
}
