import { execFile } from 'node:child_process'
import { root } from './sources.ts'

/** What `weir check FILE` says. */
export function checkConfig(path: string): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['dist/main.js', 'check', path], { cwd: root, timeout: 30_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}
