import { parseDuration, parseShare } from '../../shared/base/units.ts'
import { CommandError } from '../control-errors.ts'
import { type CommandTemplate, parseTemplate } from './command-template.ts'

/** What a deploy is asked to do; durations in milliseconds, shares from 0 to 1. */
export interface DeployOptions {
  upstream: string
  command: CommandTemplate
  rollback: CommandTemplate | null
  /** Which servers are rolled back after a failure, where there is a command for it. */
  rollsBack: 'failed' | 'all'
  batchSize: number
  /** Share of the upstream's configured weight that has to stay usable beside a batch. */
  floor: number
  /** The floor may be broken, down to no server at all. */
  isForced: boolean
  /** Servers that were drained or in maint before are deployed, too. */
  includesDrained: boolean
  drainTimeoutMs: number
  commandTimeoutMs: number
  healthTimeoutMs: number
  checks: number
  soakMs: number
  /** Share of failures that is accepted. */
  maxFailures: number
  /** How many times slower than the others the p99 time to the first byte may be. */
  maxSlowdown: number
}

/** The control socket takes 64 clients, and each server of a batch is one. */
const mostAtOnce = 50

/** The arguments as yargs gives them. */
export interface DeployArguments {
  upstream: string
  cmd: string
  'rollback-cmd': string | undefined
  'rollback-all': boolean
  batch: number
  floor: string
  force: boolean
  'include-drained': boolean
  'drain-timeout': string
  'cmd-timeout': string
  'health-timeout': string
  checks: number
  soak: string
  'max-failures': string
  'max-slowdown': string
}

/** @throws CommandError or BadTemplate, both of exit code 2, with the argument that is wrong */
export function readOptions(args: DeployArguments): DeployOptions {
  // yargs makes a list of what is given twice.
  for (const [name, value] of Object.entries(args))
    if (name !== '_' && Array.isArray(value)) throw usage(`--${name} was given more than once`)
  const rollback = args['rollback-cmd']
  if (args['rollback-all'] && rollback === undefined) throw usage('--rollback-all needs --rollback-cmd')
  return {
    upstream: args.upstream,
    command: parseTemplate(args.cmd),
    rollback: rollback === undefined ? null : parseTemplate(rollback),
    rollsBack: args['rollback-all'] ? 'all' : 'failed',
    batchSize: count('batch', args.batch, mostAtOnce),
    floor: share('floor', args.floor),
    isForced: args.force,
    includesDrained: args['include-drained'],
    drainTimeoutMs: duration('drain-timeout', args['drain-timeout'], 86_400_000),
    commandTimeoutMs: duration('cmd-timeout', args['cmd-timeout']),
    healthTimeoutMs: duration('health-timeout', args['health-timeout'], 86_400_000),
    checks: count('checks', args.checks, 1_000),
    soakMs: duration('soak', args.soak),
    maxFailures: share('max-failures', args['max-failures']),
    maxSlowdown: factor('max-slowdown', args['max-slowdown']),
  }
}

function usage(message: string): CommandError {
  return new CommandError({ code: 'bad-request', message, exit: 2 })
}

function duration(name: string, text: string, most = Number.POSITIVE_INFINITY): number {
  // 0 means the same in every unit.
  const read = text === '0' ? { ok: true as const, value: 0 } : parseDuration(text)
  if (!read.ok) throw usage(`--${name} ${text}: expected ${read.expected}`)
  if (read.value > most) throw usage(`--${name} ${text}: expected at most a day`)
  return read.value
}

function share(name: string, text: string): number {
  const read = parseShare(text)
  if (!read.ok) throw usage(`--${name} ${text}: expected ${read.expected}`)
  return read.value
}

function count(name: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 1 || value > most) throw usage(`--${name} ${value}: expected a whole number from 1 to ${most}`)
  return value
}

function factor(name: string, text: string): number {
  const value = Number(/^(\d{1,6}(?:\.\d{1,6})?)x?$/.exec(text)?.[1])
  if (!(value >= 1)) throw usage(`--${name} ${text}: expected a factor of at least 1, such as 3x`)
  return value
}
