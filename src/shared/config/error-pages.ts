import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ConfigDocument } from './document.ts'
import { fileFault } from './file-fault.ts'
import { entries, entry, items, type Raw } from './raw.ts'

const mostBytes = 1024 * 1024

/** Bodies of error pages by the path of their entry, such as `listeners.web.errorPages.503`. */
export type PageBodies = Map<string, string>

/** Reads the files of all error pages, relative to `directory`, and reports what is missing or given twice. */
export function readErrorPages(document: ConfigDocument, directory: string): PageBodies {
  const root = { path: '', value: document.value }
  const listeners = entries(entry(root, 'listeners'))
  const holders: Raw[] = [root, ...listeners, ...listeners.flatMap((listener) => items(entry(listener, 'routes')))]
  const bodies: PageBodies = new Map()
  for (const page of holders.flatMap((holder) => entries(entry(holder, 'errorPages')))) {
    const body = bodyOf(page, directory, document)
    if (body !== null) bodies.set(page.path, body)
  }
  return bodies
}

function bodyOf(page: Raw, directory: string, document: ConfigDocument): string | null {
  const file = entry(page, 'file')
  const body = entry(page, 'body')
  if (typeof page.value !== 'object') return null
  if ((file.value === undefined) === (body.value === undefined)) {
    document.keyProblem(page.path, 'an error page has either file or body')
    return null
  }
  if (typeof body.value === 'string') return body.value
  return typeof file.value === 'string' && file.value !== '' ? readPage(file, resolve(directory, file.value), document) : null
}

function readPage(file: Raw, path: string, document: ConfigDocument): string | null {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return refuse('is not a regular file')
    if (stat.size > mostBytes) return refuse('is larger than 1MiB')
    return readFileSync(path, 'utf8')
  } catch (error) {
    return refuse(fileFault(error))
  }

  function refuse(why: string): null {
    document.valueProblem(file.path, `${path}: ${why}`)
    return null
  }
}
