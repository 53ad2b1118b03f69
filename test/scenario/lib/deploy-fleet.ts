/** Servers in processes of their own, and the shell script that a deploy runs to replace one of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isRunning } from './processes.ts'
import { inTime, type Scope } from './wait.ts'

export interface DeployFleet {
  /** As the config names them. */
  readonly servers: { name: string; address: string }[]
  /** Path of a control socket in the fleet's folder. */
  readonly socket: string
  /** A command for `weir deploy`: ends the server and starts it in another version on the same port. */
  restart(version: string): string
  pid(name: string): number
}

const PROGRAM = fileURLToPath(new URL('./deploy-server.ts', import.meta.url))
const START_MS = 20_000

/** The shell waits until the old process is gone; a process that only its parent has not looked after yet is gone. */
const SCRIPT = `set -e
pid=$(cat "$FOLDER/$1.pid")
kill "$pid"
while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status"; do sleep 0.02; done
setsid "$NODE" --import tsx "$PROGRAM" "$2" "$FOLDER/$1.pid" "$3" >"$FOLDER/$1.log" 2>&1 &
echo "started $1 in version $3"
`

/** Starts one for each letter, in version v1. They end with the scope. */
export async function startFleet(scope: Scope, names: string): Promise<DeployFleet> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-deploy-'))
  writeFileSync(join(folder, 'restart.sh'), SCRIPT)
  const pid = (name: string) => Number(readFileSync(join(folder, `${name}.pid`), 'utf8'))
  scope.after(() => {
    for (const name of names) if (isRunning(pid(name))) process.kill(pid(name), 'SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const servers = await Promise.all([...names].map(async (name) => ({ name, address: `127.0.0.1:${await start(folder, name)}` })))
  const environment = `NODE='${process.execPath}' PROGRAM='${PROGRAM}' FOLDER='${folder}'`
  return {
    servers,
    socket: join(folder, 'weir.sock'),
    restart: (version) => `${environment} sh '${folder}/restart.sh' {name} {port} ${version}`,
    pid,
  }
}

async function start(folder: string, name: string): Promise<number> {
  const args = ['--import', 'tsx', PROGRAM, '0', join(folder, `${name}.pid`), 'v1']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [port] = (await inTime(once(child.stdout, 'data'), { within: START_MS, what: 'the start of a server' })) as [Buffer]
  return Number(port)
}
