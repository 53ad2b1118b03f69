/** A successor in miniature: `successor-program.ts HOW`. Accepts on the sockets that it is handed and answers its process id. */
import { fork, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { receiveHandover, reportFailed, reportReady } from '../../../../src/primary/handover.ts'

const how = process.argv[2] ?? 'well'
if (how === '--version') process.exit(0)
if (how === '--broken') {
  process.stderr.write('SyntaxError: of the new program\n')
  process.exit(7)
}
if (process.argv[3] === 'worker') {
  // Inherits what is not closed on exec, and stays.
  setInterval(() => undefined, 1000)
} else await succeed()

async function succeed(): Promise<void> {
  const handover = await receiveHandover()
  if (handover === null) throw new Error('started without a handover')
  if (how === 'exits') {
    process.stderr.write('first line\nthe last words\n')
    process.exit(3)
  }
  if (how === 'fails') {
    await reportFailed('weir.yaml:3: no such thing')
    setInterval(() => undefined, 1000)
    return
  }
  if (how === 'hangs') {
    const worker = fork(process.argv[1] ?? '', [how, 'worker'])
    process.stderr.write(`worker ${worker.pid} is waited for\n`)
    return
  }
  // Fails, and prints nothing, when there are no such descriptors.
  const { stdout: inherited } = spawnSync('readlink', ['/proc/self/fd/4', '/proc/self/fd/5'], { encoding: 'utf8' })
  const facts = { ...handover, inherited, env: process.env['WEIR_HANDOVER'] ?? null, pid: process.pid }
  for (const { fd } of handover.sockets) createServer((socket) => socket.end(JSON.stringify(facts))).listen({ fd })
  await reportReady()
}
