import { expected, type Parsed, parsed, refused } from './parsed.ts'
import { parseAbsolutePath } from './process-options.ts'

/** Where a log goes: `stdout`, or an absolute path. */
export function parseLogTarget(text: string): Parsed<string> {
  if (text === 'stdout') return parsed(text)
  if (text.endsWith('/')) return expected('the path of a file', text)
  const path = parseAbsolutePath(text)
  return path.ok ? path : expected('off, stdout, or an absolute path such as /var/log/weir/access.log', text)
}

/** The address of a collector. Secrets in it would stand in messages: those have their place in its header fields. */
export function parseCollectorUrl(text: string): Parsed<string> {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hash !== '')
    return expected('a URL such as http://127.0.0.1:4318/v1/traces', text)
  if (url.username !== '' || url.password !== '') return refused('a user and a password do not belong in this URL', 'write them as headers')
  return parsed(url.href)
}
