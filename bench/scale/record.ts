/** What a run leaves behind. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from '../lib/machine.ts'
import type { Dimension } from './dimensions.ts'
import { scalePage } from './page.ts'
import type { ScaleResult } from './run.ts'

export interface ScaleRecord {
  time: string
  machine: Machine
  peers: string[]
  /** Of one point in one round. */
  seconds: number
  result: ScaleResult
}

/** Writes `scale.json` and `index.html`; answers their paths. */
export function writeScale(record: ScaleRecord, dimensions: readonly Dimension[], folder: string): string[] {
  const files = { 'index.html': scalePage(record, dimensions), 'scale.json': `${JSON.stringify({ schema: 1, ...record }, null, 2)}\n` }
  mkdirSync(folder, { recursive: true })
  return Object.entries(files).map(([name, text]) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  })
}
