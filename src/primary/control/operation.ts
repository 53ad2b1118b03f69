/** What the verbs of the control socket may ask of the running primary, and what they may do with it. */

import type { TunnelFacts } from '../../native/contract.ts'
import type { Config, ServerConfig } from '../../shared/config/model.ts'
import type {
  Override,
  PlanData,
  ReloadData,
  ReloadOutcome,
  SaveData,
  StatusData,
  UpgradeData,
  WorkerStatus,
} from '../../shared/control/data.ts'
import type { ServerState } from '../../shared/ipc/server-state.ts'
import type { Board } from '../board.ts'
import type { Fleet } from '../fleet.ts'
import type { Records } from '../log/records.ts'
import type { Statistics } from '../statistics/statistics.ts'

/** Changes resolve when every worker that serves has applied them: from then on no new exchange goes by what was before. */
export interface Operation {
  readonly startedAt: Date
  /** null for `weir proxy` and `weir demo`. */
  readonly configFile: string | null
  readonly fleet: Fleet
  readonly board: Board
  /** Single requests; without it nobody is told. */
  readonly records?: Records
  /** What came in the last minutes; without it nobody is told. */
  readonly statistics?: Pick<Statistics, 'live' | 'latencies'> | undefined
  /** In force, with the servers that were discovered and added. */
  config(): Config
  /** Grows with every change of any kind. */
  generation(): number
  state(): StatusData['state']
  lastReload(): ReloadOutcome | null
  workers(): WorkerStatus[]
  /** Listeners in the order of the config, with where each listens and its row on the board. */
  listeners(): { name: string; protocol: string; addresses: string[]; slot: number }[]
  overrides(): Override[]
  /** Where a server comes from. */
  sourceOf(server: string): 'config' | 'discovered' | 'added'

  /** `isStrict`: sticky users are moved, too. */
  setAdmin(server: string, admin: ServerState['admin'], isStrict: boolean): Promise<void>
  /** `share` of the configured weight. */
  setWeightShare(server: string, share: number): Promise<void>
  addServer(upstream: string, server: ServerConfig): Promise<void>
  removeServer(server: string): Promise<void>

  /** At most `most` tunnels of a row of the board, or of all with -1, with the number of their worker from 1. */
  tunnels(slot: number, most: number): Promise<{ worker: number; tunnel: TunnelFacts }[]>
  /** Closes its tunnels and breaks its exchanges off, which may be retried elsewhere. Answers how many. */
  cut(slot: number): Promise<number>

  /** Throw ControlError. */
  plan(): Promise<PlanData>
  reload(isDryRun: boolean): Promise<ReloadData>
  save(isDryRun: boolean): Promise<SaveData>
  upgrade(isDryRun: boolean): Promise<UpgradeData>
  /** Begins; undefined is the grace of the config. Answers the grace in milliseconds. */
  stop(graceMs: number | undefined): number
  log(line: string): void
}
