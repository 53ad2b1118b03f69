import { machineMs } from '../../../shared/base/clock.ts'
import type { ServerAddress, UpstreamConfig } from '../../../shared/config/model.ts'
import type { HealthRow } from '../../health/check-target.ts'
import type { ServerEntry } from '../../server-entry.ts'
import type { Operation } from '../operation.ts'
import { factsOf, stateOf } from '../server-status.ts'
import { checkStatus, notChecked } from './check-code.ts'
import { type HaproxyCommand, HaproxyError } from './command.ts'
import { type Backend, backends } from './find.ts'

/** Of format version 1. */
const columns = [
  ...['be_id', 'be_name', 'srv_id', 'srv_name', 'srv_addr', 'srv_op_state', 'srv_admin_state', 'srv_uweight', 'srv_iweight'],
  ...['srv_time_since_last_change', 'srv_check_status', 'srv_check_result', 'srv_check_health', 'srv_check_state', 'srv_agent_state'],
  ...['bk_f_forced_id', 'srv_f_forced_id', 'srv_fqdn', 'srv_port', 'srvrecord', 'srv_use_ssl', 'srv_check_port', 'srv_check_addr'],
  ...['srv_agent_addr', 'srv_agent_port'],
]

const operational = { stopped: 0, starting: 1, running: 2, stopping: 3 }
const administrative = { ready: 0, maint: 0x01, drain: 0x08 }
const checkResult = { unknown: 0, failed: 2, passed: 3, conditional: 4 }
/** Configured and enabled. */
const checkIsOn = 6

export const showServersState: HaproxyCommand = {
  words: ['show', 'servers', 'state'],
  usage: 'show servers state [<backend>]',
  text: 'dump volatile server information (all or for a single backend)',
  run(operation, [name]) {
    const shown = backends(operation).filter(({ config }) => name === undefined || config.name === name)
    if (name !== undefined && shown.length === 0) throw new HaproxyError("Can't find backend.")
    const rows = shown.flatMap((backend) => backend.servers.map(({ id, entry }) => rowOf(operation, backend, id, entry)))
    return ['1', `# ${columns.join(' ')}`, ...rows].join('\n')
  },
}

function rowOf(operation: Operation, { id, config: upstream }: Backend, serverId: number, entry: Readonly<ServerEntry>): string {
  const nowMs = machineMs()
  const { record, admin } = entry
  const { config, weightShare } = record
  const facts = factsOf(operation, entry, upstream, nowMs)
  const place = placeOf(config.address)
  const fields = [
    ...[id, upstream.name, serverId, config.name, place.address],
    ...[operationalState(entry, stateOf(facts)), administrative[admin], Math.round(config.weight * weightShare), config.weight],
    Math.max(0, Math.floor((nowMs - entry.sinceMs.health) / 1_000)),
    ...checkFields(upstream, record.health, facts.row),
    ...[upstream.agent === null ? 0 : checkIsOn, 0, 0, place.name, place.port, '-', 0],
    ...[upstream.health?.port ?? 0, '-', '-', upstream.agent?.port ?? 0],
  ]
  return fields.join(' ')
}

function operationalState({ record, isSoftStopped }: ServerEntry, state: string): number {
  if (record.health !== 'up' || record.admin === 'maint' || record.isEjected) return operational.stopped
  if (isSoftStopped) return operational.stopping
  return state === 'warming' ? operational.starting : operational.running
}

/** Status, result, health and state of the check. */
function checkFields({ health }: UpstreamConfig, is: 'unknown' | 'up' | 'down', row: HealthRow | undefined): number[] {
  if (health === null) return [notChecked, checkResult.unknown, is === 'up' ? 1 : 0, 0]
  const status = row?.code == null ? notChecked : checkStatus[row.code]
  return [status, resultOf(row), standingOf(health, is, row), checkIsOn]
}

function resultOf(row: HealthRow | undefined): number {
  if (row?.ok == null) return checkResult.unknown
  if (!row.ok) return checkResult.failed
  return row.isDraining ? checkResult.conditional : checkResult.passed
}

/** HAProxy counts from 0, which is down for good, to rise + fall - 1, which is up for good. */
function standingOf({ rise, fall }: { rise: number; fall: number }, is: 'unknown' | 'up' | 'down', row: HealthRow | undefined): number {
  const streak = row?.streak ?? 0
  if (is === 'up') return rise + fall - 1 - (row?.ok === false ? Math.min(streak, fall - 1) : 0)
  return row?.ok === true ? Math.min(streak, rise - 1) : 0
}

/** An address of its own, or a name that is looked up. */
function placeOf(address: ServerAddress): { address: string; name: string; port: number } {
  if (address.kind === 'unix') return { address: address.path, name: '-', port: 0 }
  const isName = /[a-z]/i.test(address.host) && !address.host.includes(':')
  return { address: isName ? '-' : address.host, name: isName ? address.host : '-', port: address.port }
}
