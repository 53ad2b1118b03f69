/** The primary process: owns config, listening sockets and workers. Never touches a client's bytes. Boot order, top to bottom. */
import { availableParallelism } from 'node:os'
import { abi } from '../native/abi.ts'
import { addon } from '../native/addon.ts'
import { machineMs } from '../shared/base/clock.ts'
import { Board } from './board.ts'
import { Configuration, type Source } from './configuration.ts'
import { Fleet } from './fleet.ts'
import { otherThreadsGiveWay } from './give-way.ts'
import { receiveHandover, reportFailed, reportReady } from './handover.ts'
import { handedSockets, InheritedSockets, inheritedSockets } from './inherited-sockets.ts'
import { LifeCycle } from './life-cycle.ts'
import { Listeners } from './listening-sockets.ts'
import { AccessLog } from './log/access-log.ts'
import { openRecords, rowNames } from './log/records.ts'
import { Operator } from './operator.ts'
import { Overrides, type OverridesState } from './overrides.ts'
import { dropPrivileges, laterOwner } from './privileges.ts'
import { Reloader } from './reload/reloader.ts'
import { RouteRows } from './route-rows.ts'
import { saveOverridesOf } from './save.ts'
import { SocketsOfWorkers } from './socket-passing.ts'
import { type FactSources, gatherFacts, gatherRows } from './statistics/gather-facts.ts'
import { Statistics } from './statistics/statistics.ts'
import { Supervisor } from './supervisor.ts'
import { Systemd } from './systemd.ts'
import { TlsKeeper } from './tls/tls-keeper.ts'

export interface PrimaryOptions {
  source: Source
  /** Where it was loaded from; null when it can never be loaded again. */
  file: string | null
  /** Gets what people should read: where it listens, when it is ready. */
  print(line: string): void
  log(line: string): void
}

export interface Running {
  /** Where it listens, as it was printed: `http://127.0.0.1:8080 (web)`. */
  addresses: string[]
  operator: Operator
  life: LifeCycle
  accessLog: AccessLog
}

/** Starts everything, or nothing: on an error all that was opened is closed again and the error says why in one sentence. */
export async function startPrimary(options: PrimaryOptions): Promise<Running> {
  try {
    return await start(options)
  } catch (error) {
    await reportFailed((error as Error).message)
    throw error
  }
}

async function start({ source, file, print, log }: PrimaryOptions): Promise<Running> {
  otherThreadsGiveWay()
  const native = addon()
  const { config } = source
  const handover = await receiveHandover()
  const addressOf = (fd: number) => native.socketAddress(fd)
  const inherited = new InheritedSockets(
    handover === null ? inheritedSockets(process.env, process.pid, addressOf) : handedSockets(handover.sockets, addressOf),
  )
  const columns = config.workers > 0 ? config.workers : availableParallelism()
  const overrides = new Overrides()
  if (handover !== null) overrides.reset(handover.state as OverridesState)
  const tls = new TlsKeeper({
    config: () => configuration.config,
    changed: () => supervisor.tell({ type: 'tls', material: tls.material(configuration.config) }),
    log,
    ticketKeys: handover?.ticketKeys,
  })
  tls.commit(await tls.prepare(overrides.applied(config)))
  const board = new Board(native, columns)
  const listeners = new Listeners({
    addon: native,
    rows: abi.board.listeners,
    connections: (slot) => board.listener(slot, abi.listenerCounter.connections),
    inherit: (bind) => inherited.take(bind),
  })
  const opened = listeners.prepare(config.listeners)
  listeners.commit(opened, config.listeners)
  const systemd = new Systemd({ env: process.env, pid: process.pid, send: (path, text) => void native.notify(path, text), log })
  const fleet = new Fleet({
    config: overrides.applied(config),
    board,
    rows: abi.board.servers,
    log,
    tlsOf: (server) => tls.serverTls(server),
    onServers: () => configuration.refresh(),
    onAddresses: (server, addresses) => supervisor.tell({ type: 'addresses', server, addresses }),
  })
  const wakers = Array.from({ length: columns }, () => native.createWaker())
  const sockets = new SocketsOfWorkers(native, { board: board.fd, wakers }, () => listeners.fds)
  const supervisor = new Supervisor({ workers: columns, board, sockets, order: (column) => configuration.order(column), fleet, log })
  const accessLog = new AccessLog({
    data: { boardFd: board.fd, workers: columns },
    config,
    owner: laterOwner(config),
    names: () => rowNames({ servers: fleet.table.servers(), listeners: configuration.listeners, routes: configuration.routeRows() }),
    log,
  })
  const configuration = new Configuration(
    {
      source,
      columns,
      fleet,
      listeners,
      overrides,
      routes: new RouteRows({
        active: (row) => board.route(row, abi.routeCounter.active),
        clear: (row) => board.clearRoute(row),
        rows: abi.board.routes,
      }),
      tls,
      accessLog,
      supervisor: () => supervisor,
      mayChange: () => life.requireOwn(),
    },
    opened,
  )
  const factSources = (): FactSources => ({
    operation: operator,
    routes: () => configuration.routeRows(),
    reloads: () => reloader.counts,
    lostRecords: () => (configuration.source.config.log.access === null ? null : accessLog.counts().lost),
    stateSince: () => life.stateSince,
    certificates: () => tls.ends(),
  })
  const statistics = new Statistics({
    boardFd: board.fd,
    columns,
    facts: () => gatherFacts(factSources()),
    rows: () => gatherRows(factSources()),
    log,
  })
  const life = new LifeCycle({ configuration, listeners, fleet, supervisor, systemd, overrides, statistics, tls, accessLog, native, log })
  const reloader = new Reloader({
    file,
    configuration,
    overrides,
    load: loadOf(configuration, board, fleet),
    around: (work) => life.reloading(work),
    applied: () => overrides.obeyedBy(fleet.table, machineMs()),
    log,
  })
  const operator = new Operator({
    configFile: file,
    fleet,
    board,
    configuration,
    overrides,
    supervisor,
    reloader,
    statistics,
    records: openRecords({
      log: accessLog,
      table: fleet.table,
      generation: () => configuration.generation,
      routes: () => configuration.routeRows(),
    }),
    save: (isDryRun) => saveOverridesOf({ file, configuration, overrides, table: fleet.table }, isDryRun),
    upgrade: () => life.upgrade(),
    stop: (graceMs) => life.stop('weir stop', { graceMs }),
    state: () => life.state,
    mayChange: () => life.requireOwn(),
    log,
  })
  try {
    await life.openDoors(operator, handover !== null)
    inherited.closeRest((fd) => native.closeFd(fd), log)
    dropPrivileges(config)
    accessLog.start()
    await fleet.start()
    overrides.obeyedBy(fleet.table, machineMs())
    configuration.serveNow()
    tls.start()
    await supervisor.start()
    accessLog.namesChanged()
  } catch (error) {
    life.closeDoors()
    throw error
  }
  const addresses = opened.flatMap((listener) => listener.addresses.map((text) => `${text} (${listener.name})`))
  for (const text of addresses) print(`weir: listening on ${text}`)
  print(`weir: ready (${columns} ${columns === 1 ? 'worker' : 'workers'})`)
  await reportReady()
  await life.succeed(operator, handover !== null)
  systemd.ready(`serving with ${columns} ${columns === 1 ? 'worker' : 'workers'}`)
  systemd.startWatchdog()
  return { addresses, operator, life, accessLog }
}

function loadOf(configuration: Configuration, board: Board, fleet: Fleet) {
  return {
    listener(name: string): number {
      const slot = configuration.listeners.find((listener) => listener.name === name)?.slot
      return slot === undefined ? 0 : board.listener(slot, abi.listenerCounter.connections)
    },
    server(id: string): number {
      const slot = fleet.table.get(id)?.record.slot
      return slot === undefined ? 0 : board.inFlight(slot)
    },
  }
}
