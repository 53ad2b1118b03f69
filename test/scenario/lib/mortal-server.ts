/** Servers that die at any moment, and remember which orders they had read a byte of. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Chance } from '../../soak/chance.ts'
import { addressOf, listen, shut } from './listening.ts'
import type { Scope } from './wait.ts'

export interface MortalServer {
  readonly address: string
  /** Closes the port, ends every connection in one of several ways, and listens again on the same port. */
  die(): Promise<void>
}

/** How often each order was read, by its number. Shared by all servers of a test. */
export type Ledger = Map<number, number>

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'
const END_OF_HEAD = '\r\n\r\n'

/** A server that writes the number of every `POST /number` into the ledger before anything else can happen to it. */
export async function mortalServer(scope: Scope, chance: Chance, ledger: Ledger): Promise<MortalServer> {
  const sockets = new Set<Socket>()
  const accept = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    // Some die before they have read anything.
    if (chance.happens(0.02)) end(socket, chance)
    else new Orders(socket, chance, ledger)
  }
  const open = async (port: number): Promise<Server> => {
    const server = createServer({ noDelay: true }, accept)
    await listen(server, { host: '127.0.0.1', port })
    return server
  }
  let server = await open(0)
  const address = addressOf(server)
  scope.after(() => shut(server, () => sockets))
  return {
    address,
    async die() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) end(socket, chance)
      for (const socket of sockets) socket.destroy()
      await closed
      server = await open(Number(address.split(':')[1]))
    },
  }
}

function end(socket: Socket, chance: Chance): void {
  if (chance.happens(0.5)) socket.resetAndDestroy()
  else socket.destroy()
}

/** The requests of one connection. */
class Orders {
  readonly #socket: Socket
  readonly #chance: Chance
  readonly #ledger: Ledger
  #bytes = ''
  #isRead = false

  constructor(socket: Socket, chance: Chance, ledger: Ledger) {
    this.#socket = socket
    this.#chance = chance
    this.#ledger = ledger
    socket.on('data', (bytes) => {
      this.#bytes += bytes.toString('latin1')
      this.#advance()
    })
  }

  #advance(): void {
    this.#record()
    const end = this.#bytes.indexOf(END_OF_HEAD)
    if (end < 0) return
    const length = Number(/content-length: *(\d+)/i.exec(this.#bytes.slice(0, end))?.[1] ?? 0)
    if (this.#bytes.length < end + END_OF_HEAD.length + length) return
    this.#bytes = this.#bytes.slice(end + END_OF_HEAD.length + length)
    this.#isRead = false
    this.#answer()
  }

  /** As soon as its first line is here, whatever follows. */
  #record(): void {
    if (this.#isRead || !this.#bytes.includes('\r\n')) return
    this.#isRead = true
    const number = Number(/^POST \/(\d+) /.exec(this.#bytes)?.[1] ?? Number.NaN)
    if (!Number.isNaN(number)) this.#ledger.set(number, (this.#ledger.get(number) ?? 0) + 1)
    if (this.#chance.happens(0.05)) end(this.#socket, this.#chance)
  }

  #answer(): void {
    const kind = this.#chance.next()
    if (kind < 0.08) {
      if (kind < 0.04) this.#socket.write('HTTP/1.1 200 OK\r\nConte')
      end(this.#socket, this.#chance)
      return
    }
    // Never, or not before it dies.
    if (kind < 0.1) return
    if (kind < 0.3) setTimeout(() => this.#finish(kind < 0.2), this.#chance.between(0, 5))
    else this.#finish(kind < 0.6)
  }

  #finish(isLast: boolean): void {
    if (!this.#socket.writable) return
    this.#socket.write(`${ANSWER}done`)
    if (isLast) this.#tire()
  }

  /** Reads no further, and is gone a moment later: what comes in between stays unread in the kernel. */
  #tire(): void {
    const socket = this.#socket
    if (this.#chance.happens(0.5)) socket.pause()
    setTimeout(() => end(socket, this.#chance), this.#chance.between(0, 6))
  }
}
