import { abi } from '../../native/abi.ts'
import type { HeaderOperation, TemplatePart } from '../../native/contract.ts'
import type { HeaderEdits } from '../../shared/config/model.ts'

const kinds: Record<string, number> = {
  'client.ip': abi.placeholder.clientIp,
  'client.port': abi.placeholder.clientPort,
  host: abi.placeholder.host,
  method: abi.placeholder.method,
  path: abi.placeholder.path,
  query: abi.placeholder.query,
  scheme: abi.placeholder.scheme,
  'request.id': abi.placeholder.requestId,
  server: abi.placeholder.server,
  upstream: abi.placeholder.upstream,
  'listener.port': abi.placeholder.listenerPort,
}

/** The edits of a route as the engine runs them: removals and replacements first, then what is added. */
export function headerProgram(edits: HeaderEdits): HeaderOperation[] {
  return [
    ...edits.remove.map((name) => ({ op: 'remove', name }) as const),
    ...edits.set.map(([name, value]) => ({ op: 'set', name, value: compileTemplate(value) }) as const),
    ...edits.add.map(([name, value]) => ({ op: 'add', name, value: compileTemplate(value) }) as const),
  ]
}

/** `{client.ip}` and its like become parts that the engine fills in; braces that name nothing are text. */
export function compileTemplate(text: string): TemplatePart[] {
  const parts: TemplatePart[] = []
  let literal = ''
  for (const piece of text.split(/(\{[a-z.]+\})/)) {
    const kind = piece.startsWith('{') ? kinds[piece.slice(1, -1)] : undefined
    if (kind === undefined) {
      literal += piece
      continue
    }
    if (literal !== '') parts.push({ kind: abi.placeholder.literal, text: literal })
    literal = ''
    parts.push({ kind, text: '' })
  }
  if (literal !== '') parts.push({ kind: abi.placeholder.literal, text: literal })
  return parts
}
