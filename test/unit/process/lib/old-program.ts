/** The weir before: listens, starts a successor, lets go of it and ends at once. Prints the successor's process id. */
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { startSuccessor } from '../../../../src/primary/upgrade.ts'

const args = ['--import', 'tsx', fileURLToPath(new URL('successor-program.ts', import.meta.url))]
const server = createServer()
server.listen(Number(process.argv[2]), '127.0.0.1', async () => {
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle
  const { pid, release } = await startSuccessor({
    sockets: [{ fd, bind: '127.0.0.1:0', owner: 'weir' }],
    state: null,
    log: () => undefined,
    program: { file: process.execPath, args: [...args, 'well'], probe: null },
  })
  const address = server.address()
  process.stdout.write(`${JSON.stringify({ pid, port: typeof address === 'object' ? address?.port : 0 })}\n`)
  release()
  process.exit(0)
})
