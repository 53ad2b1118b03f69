/**
 * Caddy as a good operator would run it: connections to the servers kept, least connections, one Go processor per worker.
 * Off: its admin socket, certificates, the access log (off unless asked for), compression towards the servers. X-Forwarded-For, -Proto and
 * -Host are what it sends by itself.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { notInstalled } from '../lib/installed.ts'
import { temporaryDirectory } from '../lib/processes.ts'
import { freePort, type PeerKind, type PeerOptions, type RunningPeer, startPeer, workersOf } from './peer.ts'

interface Tuning {
  balance: string
  /** Lines of reverse_proxy. */
  proxy: string
  /** Variables of its environment. */
  environment: string[]
}

/** What may be tried with `--peers caddy,caddy+round-robin` is below; none of it was measured on a quiet machine yet. */
const best: Tuning = { balance: 'least_conn', proxy: '', environment: [] }

const alternatives: Record<string, Partial<Tuning>> = {
  'round-robin': { balance: 'round_robin' },
  'flush-at-once': { proxy: 'flush_interval -1' },
  'rare-collection': { environment: ['GOGC=400'] },
}

export const caddy = caddyWith('caddy', best)
export const caddyAlternatives: PeerKind[] = Object.entries(alternatives).map(([name, change]) =>
  caddyWith(`caddy+${name}`, { ...best, ...change }),
)

function caddyWith(name: string, tuning: Tuning): PeerKind {
  return { name, obstacle: () => notInstalled('caddy', 'caddy'), start: (options) => startCaddy(options, tuning) }
}

async function startCaddy(options: PeerOptions, tuning: Tuning): Promise<RunningPeer> {
  const directory = temporaryDirectory('caddy')
  const port = await freePort()
  const file = join(directory, 'Caddyfile')
  writeFileSync(file, config(options, tuning, port))
  // It writes its configuration and certificates to the home directory unless it is told otherwise.
  const homes = ['HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'].map((name) => `${name}=${directory}`)
  const environment = ['env', `GOMAXPROCS=${workersOf(options)}`, ...homes, ...tuning.environment]
  return startPeer(options.core, port, directory, [...environment, 'caddy', 'run', '--config', file, '--adapter', 'caddyfile'])
}

function config(options: PeerOptions, tuning: Tuning, port: number): string {
  return `
{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${options.servers.join(' ')} {
    lb_policy ${tuning.balance}
    ${tuning.proxy}
    transport http {
      keepalive 75s
      keepalive_idle_conns 1024
      keepalive_idle_conns_per_host 512
      compression off
    }
  }
}
`
}
