import type { CommandModule } from 'yargs'
import { configFromInput, type LoadResult } from '../shared/config/load.ts'
import type { BalanceName } from '../shared/config/model.ts'
import { balanceNames } from '../shared/config/schema/balance.ts'
import { runLoaded } from './run.ts'

interface ProxyArguments {
  listen: string[]
  protocol: 'http' | 'tcp' | 'tls'
  to: string[]
  balance: PlainBalance
  workers: number | undefined
}

/** Every policy that needs no more than its name. */
const plainBalances = balanceNames.filter((name) => name !== 'consistent-hash')
type PlainBalance = Exclude<BalanceName, 'consistent-hash'>

/** `weir proxy --listen :8080 --to host:port …`: a balancer without a file. */
export const proxyCommand: CommandModule<object, ProxyArguments> = {
  command: 'proxy',
  describe: 'Balance over servers given on the command line, without a file',
  builder: (yargs) =>
    yargs
      .option('listen', {
        type: 'string',
        array: true,
        default: [':8080'],
        describe: 'Address to accept on: :port, host:port or unix:/path; first-last for a range of ports',
      })
      .option('protocol', {
        choices: ['http', 'tcp', 'tls'] as const,
        default: 'http' as const,
        describe: 'What is spoken: HTTP, any TCP, or TLS that is passed on unread',
      })
      .option('to', { type: 'string', array: true, demandOption: true, describe: 'Servers: host:port or unix:/path' })
      .option('balance', { choices: plainBalances, default: plainBalances[0] ?? 'power-of-two', describe: 'How a server is picked' })
      .option('workers', { type: 'number', describe: 'Worker processes; one per core when not given' })
      .example('weir proxy --listen :8080 --to 127.0.0.1:9001 127.0.0.1:9002', 'Two servers behind port 8080')
      .example('weir proxy --protocol tcp --listen :5432 --to 127.0.0.1:5433', 'A TCP port'),
  handler: async (args) => {
    await runLoaded({ loaded: proxyConfig(args), module: null }, null)
  },
}

/** The config that the arguments stand for. */
export function proxyConfig({ listen, protocol, to, balance, workers }: ProxyArguments): LoadResult {
  const input = {
    ...(workers === undefined ? {} : { workers }),
    listeners: { proxy: { bind: listen, protocol, upstream: 'servers' } },
    upstreams: { servers: { balance, servers: to } },
  }
  return configFromInput(input, '<command line>')
}
