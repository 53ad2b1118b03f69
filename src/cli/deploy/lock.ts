import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { CommandError } from '../control-errors.ts'

/**
 * Sees to it that one deploy of an upstream runs at a time on this machine: two would take each other's servers for spared. It is a name
 * in the kernel (an abstract socket, unix(7)), so it is gone with the process, however that ends. Answers how to let go.
 * @throws CommandError (exit 5) when another one runs
 */
export async function lockUpstream(socketPath: string, upstream: string): Promise<() => void> {
  const name = createHash('sha256').update(`${socketPath}\0${upstream}`).digest('hex').slice(0, 32)
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? taken(upstream) : error))
    server.listen(`\0weir-deploy-${name}`, resolve)
  })
  server.unref()
  return () => void server.close()
}

function taken(upstream: string): CommandError {
  return new CommandError({ code: 'refused', message: `another deploy of ${upstream} is running`, exit: 5 })
}
