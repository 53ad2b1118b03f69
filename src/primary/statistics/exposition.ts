/** Everything that `GET /metrics` answers, in the order of the catalogue. Pure but for the board that it reads. */
import { abi } from '../../native/abi.ts'
import { mostDetailed } from '../../shared/metrics.ts'
import { terminationWord } from '../../shared/termination.ts'
import type { BoardView } from './board-view.ts'
import { writeRoutes } from './exposition-routes.ts'
import { writeServers } from './exposition-servers.ts'
import { writeUpstreams } from './exposition-upstreams.ts'
import { type ExpositionFormat, ExpositionWriter } from './exposition-writer.ts'
import { type Facts, noRoute } from './facts.ts'
import type { Keeper } from './keeper.ts'
import type { QueueWaits } from './queue-waits.ts'

const { board: size, listenerCounter, phase, refusal, termination, workerCounter } = abi

export interface ExpositionSources {
  facts: Facts
  keeper: Keeper
  board: BoardView
  queueWaits: QueueWaits
}

/** What is written from, and to. */
export interface Writing extends ExpositionSources {
  writer: ExpositionWriter
}

export function exposition(sources: ExpositionSources, format: ExpositionFormat): string {
  const writing: Writing = { ...sources, writer: new ExpositionWriter(format) }
  writeProcess(writing)
  writeWorkers(writing)
  writeListeners(writing)
  writeTls(writing)
  writeRoutes(writing)
  writeUpstreams(writing)
  writeServers(writing)
  writeOwn(writing)
  return writing.writer.end()
}

function writeProcess({ facts, writer }: Writing): void {
  const { version, nodeVersion, startedAtMs, generation, lastReload, reloads, gossip } = facts
  const one = (name: Parameters<ExpositionWriter['begin']>[0], value: number) => {
    writer.begin(name)
    writer.sample([], value)
  }
  writer.begin('weir_build_info')
  writer.sample([version, nodeVersion], 1)
  one('weir_start_time_seconds', startedAtMs / 1_000)
  one('weir_config_generation', generation)
  one('weir_config_last_reload_success', lastReload?.ok === false ? 0 : 1)
  if (lastReload !== null) one('weir_config_last_reload_timestamp_seconds', lastReload.atMs / 1_000)
  writer.begin('weir_config_reloads_total')
  writer.sample(['applied'], reloads.applied)
  writer.sample(['refused'], reloads.refused)
  one('weir_gossip_changes_total', gossip.count)
  one('weir_gossip_lag_seconds', gossip.lastMs / 1_000)
  one('weir_gossip_lag_max_seconds', gossip.maxMs / 1_000)
}

const ofWorkers = [
  ['weir_worker_connections', workerCounter.connections],
  ['weir_worker_tunnels', workerCounter.openTunnels],
  ['weir_worker_waiting', workerCounter.waiting],
  ['weir_worker_accepted_total', workerCounter.accepted],
  ['weir_worker_exchanges_total', workerCounter.exchanges],
  ['weir_worker_tunnels_opened_total', workerCounter.tunnels],
  ['weir_worker_refused_heads_total', workerCounter.refusedHeads],
  ['weir_worker_answered_total', workerCounter.answered],
  ['weir_worker_accept_pauses_total', workerCounter.acceptPauses],
  ['weir_client_received_bytes_total', workerCounter.bytesFromClients],
  ['weir_client_sent_bytes_total', workerCounter.bytesToClients],
  ['weir_copied_bytes_total', workerCounter.copiedBytes],
  ['weir_splice_bytes_total', workerCounter.splicedBytes],
] as const

/** By column: a worker that replaces another one goes on with its counters. */
function writeWorkers({ facts, board, keeper, writer }: Writing): void {
  const known = new Map(facts.workers.map((worker) => [worker.number, worker]))
  const numbers = Array.from({ length: board.columns }, (_, column) => column + 1)
  writer.begin('weir_worker_up')
  for (const number of numbers) writer.sample([number], known.get(number)?.isUp === true ? 1 : 0)
  writer.begin('weir_worker_restarts_total')
  for (const { number, restarts } of facts.workers) writer.sample([number], restarts)
  for (const [name, counter] of ofWorkers) {
    writer.begin(name)
    for (const number of numbers) writer.sample([number], board.worker(number - 1, counter))
  }
  writer.begin('weir_termination_total')
  const ends = keeper.terminations('total')
  for (let number = 0; number < termination.count; number++) writer.sample([terminationWord(number)], ends[number] as number)
}

const { count: _, ...refusals } = refusal

function writeListeners({ facts, board, writer }: Writing): void {
  const { listeners } = facts
  writer.begin('weir_listener_connections_active')
  for (const { name, slot } of listeners) writer.sample([name], board.listener(slot, listenerCounter.connections))
  writer.begin('weir_listener_connections_total')
  for (const { name, slot } of listeners) writer.sample([name], board.listener(slot, listenerCounter.accepted))
  writer.begin('weir_listener_rejected_total')
  for (const { name, slot } of listeners) {
    for (const [reason, number] of Object.entries(refusals)) {
      const word = reason.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      writer.sample([name, word], board.listener(slot, listenerCounter.refusedUntrustedProxy + number))
    }
  }
}

/** Of listeners that end TLS. */
function writeTls({ facts, board, writer }: Writing): void {
  const listeners = facts.listeners.filter(({ name }) => facts.certificates.some(({ listener }) => listener === name))
  writer.begin('weir_tls_handshakes_total')
  for (const { name, slot } of listeners) writer.sample([name], board.listener(slot, listenerCounter.tlsHandshakes))
  writer.begin('weir_tls_resumed_total')
  for (const { name, slot } of listeners) writer.sample([name], board.listener(slot, listenerCounter.tlsResumed))
  writer.begin('weir_tls_certificate_expiry_timestamp_seconds')
  for (const { listener, name, notAfterMs } of facts.certificates) writer.sample([listener, name], notAfterMs / 1_000)
}

/** Of the measuring itself; what is left out of this answer comes last, as it is only known then. */
function writeOwn({ facts, board, keeper, writer }: Writing): void {
  if (facts.lostRecords !== null) {
    writer.begin('weir_log_records_lost_total')
    writer.sample([], facts.lostRecords)
  }
  writer.begin('weir_metrics_dropped_values_total')
  writer.sample([], board.allWorkers(workerCounter.histogramDropped))
  const { servers, routes } = rowCounts(facts)
  const samples = writer.samples
  writer.begin('weir_metrics_series')
  writer.sample([], samples)
  writer.begin('weir_metrics_memory_bytes')
  const heads = (servers + routes) * phase.count * size.seriesBytes * board.columns
  writer.sample([], board.allWorkers(workerCounter.histogramBlocks) * 512 + heads + keeper.bytes)
  writer.begin('weir_metrics_omitted_series')
  writer.sample([], 3 * Math.max(0, servers - mostDetailed.servers) + 4 * Math.max(0, routes - mostDetailed.routes))
}

function rowCounts({ routes, upstreams }: Facts): { servers: number; routes: number } {
  return {
    servers: upstreams.reduce((sum, { servers }) => sum + servers.length, 0),
    routes: routes.filter(({ name }) => name !== noRoute).length,
  }
}
