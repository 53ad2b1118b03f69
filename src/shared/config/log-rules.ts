import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ConfigDocument } from './document.ts'
import { entry, isMap, items, type Raw } from './raw.ts'

/** One more is captured for traces; see abi and native/observe/record.h. */
const mostHeaders = 7
const mostParameters = 64

/** The rules of logs and traces. */
export function checkLogs(root: Raw, document: ConfigDocument): void {
  const access = entry(entry(root, 'log'), 'access')
  const target = isMap(access) ? entry(access, 'to') : access
  warnMissingFolder(target, document)
  checkCount(entry(access, 'headers'), mostHeaders, 'header fields', document)
  checkCount(entry(access, 'redactQuery'), mostParameters, 'parameters', document)
  if (entry(access, 'format').value !== 'combined') return
  for (const key of ['fields', 'headers']) {
    const option = entry(access, key)
    if (option.value !== undefined)
      document.keyWarning(option.path, 'has no effect in the format combined', 'remove it, or write format: json')
  }
}

/**
 * Only a warning: workers read a config again while weir runs, and a folder that is gone by then is no reason not to serve. A start and
 * a reload fail when they open the file.
 */
function warnMissingFolder({ path, value }: Raw, document: ConfigDocument): void {
  if (typeof value !== 'string' || !value.startsWith('/')) return
  const folder = dirname(value)
  const fault = faultOf(folder)
  if (fault !== null)
    document.valueWarning(path, `${folder} ${fault}: weir cannot start with this`, 'make the folder, or name another file')
}

function faultOf(folder: string): string | null {
  try {
    return statSync(folder).isDirectory() ? null : 'is no folder'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Whether this user may look there says nothing about the one who runs weir.
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : null
  }
}

function checkCount(list: Raw, most: number, what: string, document: ConfigDocument): void {
  const count = items(list).length
  if (count > most) document.valueProblem(list.path, `at most ${most} ${what}, found ${count}`)
}
