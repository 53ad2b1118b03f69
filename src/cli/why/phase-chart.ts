/** Where the time of one request went, as bars. Pure. */
import type { LogRecord } from '../../shared/control/record-data.ts'
import { micros } from '../tail/record-text.ts'

const WIDTH = 32
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

interface Phase {
  name: string
  us: number
  /** Where its bar begins. */
  fromUs: number
}

/** A line for each phase that happened, without line feeds. Bars stand where the phase was in the whole. */
export function phaseChart(record: LogRecord): string[] {
  const { totalUs = 0 } = record
  const rows = phasesOf(record)
  return rows.map(({ name, us, fromUs }) => `${name.padEnd(22)}${micros(us).padStart(9)}  ${bar(fromUs, us, totalUs)}`.trimEnd())
}

/** What is left is the time in which the response came, and failed attempts before. */
function phasesOf({ queueUs = 0, connectUs = 0, firstByteUs = 0, totalUs = 0, failedAttempts = [], kind }: LogRecord): Phase[] {
  const failedUs = Math.min(totalUs, Math.max(0, (failedAttempts.at(-1)?.atUs ?? 0) - queueUs))
  const steps: [name: string, us: number][] = [
    ['waited', queueUs],
    ['failed attempts', failedUs],
    ['connected', connectUs],
    ['until the first byte', Math.max(0, firstByteUs)],
  ]
  const known = steps.reduce((sum, [, us]) => sum + us, 0)
  steps.push([kind === 'tunnel' ? 'joined' : 'the rest', Math.max(0, totalUs - known)])
  let fromUs = 0
  return steps.flatMap(([name, us]) => {
    const phase = { name, us, fromUs: Math.min(fromUs, totalUs) }
    fromUs += us
    return us === 0 ? [] : [phase]
  })
}

function bar(fromUs: number, us: number, totalUs: number): string {
  if (totalUs <= 0) return ''
  const before = Math.round((fromUs / totalUs) * WIDTH)
  const eighths = Math.min((WIDTH - before) * 8, Math.round((us / totalUs) * WIDTH * 8))
  return `${' '.repeat(before)}${'█'.repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8]}`
}
