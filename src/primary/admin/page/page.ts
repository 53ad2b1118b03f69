/** The files of the dashboard. Browsers get them as they lie here: nothing builds them, and they load nothing from elsewhere. */
import { readdirSync, readFileSync } from 'node:fs'
import { pageFolder } from '../../../shared/base/program-files.ts'

/** What is sent for a path: `type` is a whole Content-Type. */
export interface PageFile {
  type: string
  body: string
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

let files: ReadonlyMap<string, PageFile> | null = null

/**
 * The file for the path of a URL, which is `/` or `/page/…` without its query; null where there is none. All of them are read when
 * the first is asked for, and never again: an installation that is replaced while weir runs must not mix the files of two versions.
 * @throws where the installation lacks them
 */
export function pageFile(path: string): PageFile | null {
  files ??= readPage()
  return files.get(path) ?? null
}

function readPage(): ReadonlyMap<string, PageFile> {
  const found = new Map<string, PageFile>()
  for (const name of readdirSync(pageFolder())) {
    const type = types[name.slice(name.lastIndexOf('.') + 1)]
    if (type === undefined) continue
    const body = readFileSync(new URL(name, pageFolder()), 'utf8')
    found.set(name === 'index.html' ? '/' : `/page/${name}`, { type, body })
  }
  return found
}
