/** WebSockets through the balancer to servers that echo. */
import WebSocket from 'ws'
import type { Balancer } from './balancer.ts'
import { type Scope, until } from './wait.ts'

export interface EchoSocket {
  isOpen(): boolean
  /** Sends a text and waits until an answer ends with it. */
  echoes(text: string): Promise<void>
}

/** Opens so many of them; they end with the scope. */
export async function openWebSockets(scope: Scope, weir: Pick<Balancer, 'url'>, count: number): Promise<EchoSocket[]> {
  const sockets = Array.from({ length: count }, () => new WebSocket(weir.url('/socket')))
  scope.after(() => {
    for (const socket of sockets) socket.terminate()
  })
  const opened = sockets.map(echoSocket)
  await until(() => opened.every(({ isOpen }) => isOpen()), { within: 10_000, what: 'all WebSockets are open' })
  return opened
}

function echoSocket(socket: WebSocket): EchoSocket {
  const answers: string[] = []
  socket.on('message', (message) => void answers.push(String(message)))
  socket.on('error', () => undefined)
  return {
    isOpen: () => socket.readyState === WebSocket.OPEN,
    async echoes(text) {
      socket.send(text)
      await until(() => answers.some((answer) => answer.endsWith(text)), { what: `the WebSocket answers ${text}` })
    },
  }
}
