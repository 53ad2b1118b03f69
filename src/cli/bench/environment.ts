import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { packageFile } from '../../shared/base/program-files.ts'
import { descriptorLimit } from '../descriptors.ts'
import type { Environment } from './result.ts'

/** What must be known about a machine to compare two runs. */
export function describeEnvironment(): Environment {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    isVirtual: /^flags.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8')),
    openFiles: Math.min(descriptorLimit(), Number.MAX_SAFE_INTEGER),
    node: process.version,
    weir: (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version,
    commit: commit(),
  }
}

/** Of the checkout that this program is in, with a sign when files differ from it. */
function commit(): string | null {
  const home = fileURLToPath(packageFile('.'))
  try {
    const git = (...args: string[]) => execFileSync('git', ['-C', home, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    // An installed package may lie below somebody else's checkout.
    if (git('rev-parse', '--show-prefix').trim() !== '') return null
    return git('describe', '--always', '--dirty', '--abbrev=12').trim()
  } catch {
    return null
  }
}
