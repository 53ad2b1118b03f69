/** The primary process: owns config, listening sockets and workers. Never touches a client's bytes. Boot order, top to bottom. */
import { unlinkSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { addon } from '../native/addon.ts'
import { withoutFunctions } from '../shared/config/functions.ts'
import type { Config } from '../shared/config/model.ts'
import { firstListenerFd, type Serve, VERSION } from '../shared/ipc/protocol.ts'
import { Board } from './board.ts'
import { openListeningSockets } from './listening-sockets.ts'
import { followNames, resolveServers } from './names.ts'
import { serverSlots } from './server-slots.ts'
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
  const sockets = openListeningSockets(native, config.listeners, firstListenerFd(columns))
  const board = new Board(native, columns)
  const wakers = Array.from({ length: columns }, () => native.createWaker())
  const slots = serverSlots(config)
  const addresses = await resolveServers(config)
  const plain = withoutFunctions(config)
  const order = (column: number): Serve => ({
    type: 'serve',
    version: VERSION,
    generation: 1,
    config: plain,
    module,
    slots,
    addresses,
    sockets: sockets.byListener,
    column,
    columns,
  })
  const supervisor = new Supervisor({ workers: columns, board, fds: [board.fd, ...wakers, ...sockets.fds], order, log })
  const close = () => {
    for (const fd of sockets.fds) native.closeFd(fd)
    for (const path of sockets.paths) removeFile(path)
  }
  try {
    await supervisor.start()
  } catch (error) {
    close()
    throw error
  }
  followNames(config, addresses, (server, to) => {
    log(`${server} is at ${to.map((one) => ('ip' in one ? one.ip : one.path)).join(', ')} now`)
    supervisor.tell({ type: 'addresses', server, addresses: to })
  })
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
