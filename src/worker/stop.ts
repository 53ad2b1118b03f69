import type { Engine } from '../native/contract.ts'

const LOOK_MS = 20

/**
 * Takes no new connection, closes idle ones, lets exchanges and tunnels finish, then exits with 0. What is left after `graceMs`
 * is cut; 0 waits for ever. Keep-alive connections are asked to close one after the other over `spreadMs`.
 */
export function stopGracefully(engine: Engine, graceMs: number, spreadMs: number): void {
  const start = Date.now()
  engine.stopAccepting()
  engine.drain(spreadMs)
  const look = () => {
    const isLate = graceMs > 0 && Date.now() - start >= graceMs
    if (engine.openCount() > 0 && !isLate) return
    engine.close()
    process.exit(0)
  }
  setInterval(look, LOOK_MS)
  look()
}
