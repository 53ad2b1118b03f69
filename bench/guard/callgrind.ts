/** Counts instructions: callgrind runs a program on a simulated processor, so the number is the same on a busy machine. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.ts'

/** Often enough that what an operation does once in a while is spread over it. */
const times = 400

/** Why nothing can be counted on this machine; null when it can. */
export async function callgrindObstacle(): Promise<string | null> {
  const asked = await run(['valgrind', '--version']).catch(() => null)
  return asked?.code === 0 ? null : 'valgrind is not installed: apt install valgrind'
}

/** Instructions per operation, by name. Rejects when the program fails, by itself or under valgrind. */
export async function countInstructions(program: string): Promise<Map<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-guard-'))
  try {
    const file = join(directory, 'counts')
    const names = await runCounting(program, file)
    // One dump for each operation, then one of the program's end.
    const dumps = readdirSync(directory).filter((name) => name.startsWith('counts.'))
    if (names.length === 0 || dumps.length !== names.length)
      throw new Error(`${program}: ${names.length} operations, ${dumps.length} counts`)
    return new Map(names.map((name, i) => [name, Math.round(instructionsIn(`${file}.${i + 1}`) / times)]))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function runCounting(program: string, file: string): Promise<string[]> {
  const settings = ['--tool=callgrind', `--callgrind-out-file=${file}`, '--log-file=/dev/null']
  const triggers = ['--collect-atstart=no', '--toggle-collect=guard_collect', '--zero-before=guard_begin', '--dump-after=guard_end']
  // The environment lies on the stack and would move what is there.
  const clean = ['env', '-i', `PATH=${process.env['PATH'] ?? '/usr/bin:/bin'}`]
  const { code, stdout, stderr } = await run([...clean, 'valgrind', ...settings, ...triggers, program, 'count', String(times)])
  if (code !== 0) throw new Error(`${program} failed under valgrind (exit code ${code}): ${stderr.trim().split('\n')[0]}`)
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
}

function instructionsIn(dump: string): number {
  const found = /^summary: (\d+)$/m.exec(readFileSync(dump, 'utf8'))
  if (!found) throw new Error(`${dump} has no sum`)
  return Number(found[1])
}
