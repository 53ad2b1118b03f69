import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ConfigDocument } from './document.ts'
import { fileFault } from './file-fault.ts'
import { parseToken } from './process-options.ts'
import { entry, type Raw } from './raw.ts'

const mostBytes = 4_096

/** The token in `admin.tokenFile`, relative to `directory`; null where none is named. What is wrong with it is reported. */
export function readAdminToken(document: ConfigDocument, directory: string): string | null {
  const file = entry(entry({ path: '', value: document.value }, 'admin'), 'tokenFile')
  if (typeof file.value !== 'string' || file.value === '') return null
  return readToken(file, resolve(directory, file.value), document)
}

function readToken(file: Raw, path: string, document: ConfigDocument): string | null {
  const refuse = (why: string) => {
    document.valueProblem(file.path, `${path}: ${why}`)
    return null
  }
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return refuse('is not a regular file')
    if (stat.size > mostBytes) return refuse('is larger than any token')
    const token = parseToken(readFileSync(path, 'utf8').trim())
    return token.ok ? token.value : refuse('holds no token of 16 to 512 visible ASCII characters without spaces')
  } catch (error) {
    return refuse(fileFault(error))
  }
}
