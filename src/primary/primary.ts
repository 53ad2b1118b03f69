/** The primary process: owns config, listening sockets and workers. Never touches a client's bytes. Boot order, top to bottom. */
import { unlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { abi } from '../native/abi.ts'
import { addon } from '../native/addon.ts'
import { withoutFunctions } from '../shared/config/functions.ts'
import type { Config } from '../shared/config/model.ts'
import { firstListenerFd, type Serve, VERSION } from '../shared/ipc/protocol.ts'
import { Board } from './board.ts'
import { Fleet } from './fleet.ts'
import { openListeningSockets } from './listening-sockets.ts'
import { Supervisor } from './supervisor.ts'

export interface PrimaryOptions {
  config: Config
  /** The file to load again in workers, for the functions of a TypeScript config; null when there are none. */
  module: string | null
  /** Gets what people should read: where it listens, when it is ready. */
  print(line: string): void
  log(line: string): void
}

export interface Running {
  /** Where it listens, as it was printed: `http://127.0.0.1:8080 (web)`. */
  addresses: string[]
  supervisor: Supervisor
  /** Finishes what is there, at most for `graceMs` (0: no deadline), and ends the workers. */
  stop(graceMs: number): Promise<void>
}

/** Starts everything, or nothing: on an error all that was opened is closed again and the error says why in one sentence. */
export async function startPrimary({ config, module, print, log }: PrimaryOptions): Promise<Running> {
  const native = addon()
  const columns = config.workers > 0 ? config.workers : availableParallelism()
  if (config.listeners.length > abi.board.listeners)
    throw new Error(`the configuration has ${config.listeners.length} listeners; at most ${abi.board.listeners} are possible`)
  const sockets = openListeningSockets(native, config.listeners, firstListenerFd(columns))
  const board = new Board(native, columns)
  const wakers = Array.from({ length: columns }, () => native.createWaker())
  let generation = 1
  const fleet = new Fleet({
    config,
    board,
    rows: abi.board.servers,
    log,
    onServers: () => {
      generation++
      supervisor.reorder()
    },
    onAddresses: (server, to) => supervisor.tell({ type: 'addresses', server, addresses: to }),
  })
  const order = (column: number): Omit<Serve, 'state'> => ({
    type: 'serve',
    version: VERSION,
    generation,
    config: withoutFunctions(fleet.config()),
    module,
    slots: fleet.slots(),
    addresses: fleet.addresses(),
    sockets: sockets.byListener,
    column,
    columns,
  })
  const supervisor = new Supervisor({ workers: columns, board, fds: [board.fd, ...wakers, ...sockets.fds], order, fleet, log })
  const close = () => {
    fleet.stop()
    for (const fd of sockets.fds) native.closeFd(fd)
    for (const path of sockets.paths) removeFile(path)
  }
  try {
    await fleet.start()
    await supervisor.start()
  } catch (error) {
    close()
    throw error
  }
  for (const text of sockets.texts) print(`weir: listening on ${text}`)
  print(`weir: ready (${columns} ${columns === 1 ? 'worker' : 'workers'})`)
  const stop = async (graceMs: number) => {
    // Closed first: a connection that nobody will accept must be refused, not left waiting in the kernel's queue.
    const stopped = supervisor.stop(graceMs)
    close()
    await stopped
  }
  return { addresses: sockets.texts, supervisor, stop }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // It is gone already.
  }
}
