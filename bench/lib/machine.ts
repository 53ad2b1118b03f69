/** What must be known about a machine to compare two runs. Recorded with every result. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'

export interface Machine {
  cpu: string
  cores: number
  memoryBytes: number
  kernel: string
  virtual: boolean
  governor: string
  openFiles: number
  node: string
  nginx: string
  haproxy: string
  caddy: string
  apache: string
  /** Of the packages in bench/package.json, by name. */
  npm: Record<string, string>
  wrk: string
  /** Of the system, which nginx and HAProxy use, and Node's own, which is weir's. */
  openssl: string
  nodeOpenssl: string
  commit: string
}

export function describeMachine(): Machine {
  const cpuInfo = readFileSync('/proc/cpuinfo', 'utf8')
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    virtual: /^flags.*\bhypervisor\b/m.test(cpuInfo),
    governor: governor(),
    openFiles: openFilesLimit(),
    node: process.version,
    nginx: firstMatch('nginx', ['-v'], /nginx\/(\S+)/),
    haproxy: firstMatch('haproxy', ['-v'], /version (\S+)/),
    caddy: firstMatch('caddy', ['version'], /^v?(\d\S*)/m),
    apache: firstMatch('sh', ['-c', 'apache2 -v || httpd -v'], /Apache\/(\S+)/),
    npm: npmVersions(),
    openssl: firstMatch('openssl', ['version'], /OpenSSL (\S+)/),
    nodeOpenssl: process.versions.openssl ?? 'none',
    wrk: firstMatch('wrk', ['-v'], /wrk (\S+)/),
    commit: firstMatch('git', ['describe', '--always', '--dirty'], /(\S+)/),
  }
}

function npmVersions(): Record<string, string> {
  const here = join(import.meta.dirname, '..')
  const versionIn = (file: string): string => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : 'not found')
  const names = Object.keys(JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')).dependencies)
  return Object.fromEntries(names.map((name) => [name, versionIn(join(here, 'node_modules', name, 'package.json'))]))
}

/** The soft limit of open files of this process, which every program it starts inherits. */
export function openFilesLimit(): number {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return soft === undefined || soft === 'unlimited' ? 1_000_000 : Number(soft)
}

function governor(): string {
  const path = '/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : 'unknown'
}

// nginx prints its version to stderr, and wrk exits with 1 after printing it.
function firstMatch(command: string, args: string[], pattern: RegExp): string {
  try {
    const text = execFileSync('sh', ['-c', '"$@" 2>&1; true', 'sh', command, ...args], { encoding: 'utf8' })
    return pattern.exec(text)?.[1] ?? 'not found'
  } catch {
    return 'not found'
  }
}
