import type { CommandModule } from 'yargs'
import { configFromInput } from '../shared/config/load.ts'
import { runLoaded } from './run.ts'

interface Arguments {
  listen: string[]
  to: string[]
  balance: string
  workers: number | undefined
}

/** `weir proxy --listen :8080 --to host:port …`: a balancer without a file. */
export const proxyCommand: CommandModule<object, Arguments> = {
  command: 'proxy',
  describe: 'Balance over servers given on the command line, without a file',
  builder: (yargs) =>
    yargs
      .option('listen', {
        type: 'string',
        array: true,
        default: [':8080'],
        describe: 'Address to accept on: :port, host:port or unix:/path',
      })
      .option('to', { type: 'string', array: true, demandOption: true, describe: 'Servers: host:port or unix:/path' })
      .option('balance', { type: 'string', default: 'least-connections', describe: 'How a server is picked' })
      .option('workers', { type: 'number', describe: 'Worker processes; one per core when not given' })
      .example('weir proxy --listen :8080 --to 127.0.0.1:9001 127.0.0.1:9002', 'Two servers behind port 8080'),
  handler: async ({ listen, to, balance, workers }) => {
    const input = {
      ...(workers === undefined ? {} : { workers }),
      listeners: { proxy: { bind: listen, upstream: 'servers' } },
      upstreams: { servers: { balance, servers: to } },
    }
    await runLoaded(configFromInput(input as Parameters<typeof configFromInput>[0], '<command line>'), null)
  },
}
