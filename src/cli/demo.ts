import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CommandModule } from 'yargs'
import { configFromInput } from '../shared/config/load.ts'
import { runLoaded } from './run.ts'

const USUAL_ADMIN_PORT = 9900

interface Arguments {
  listen: string
}

/** `weir demo`: the balancer in front of three sample servers in the same process, with its dashboard and what to try. */
export const demoCommand: CommandModule<object, Arguments> = {
  command: 'demo',
  describe: 'Run the balancer in front of three embedded sample servers',
  builder: (yargs) =>
    yargs
      .option('listen', { type: 'string', default: '127.0.0.1:8080', describe: 'Address to accept on' })
      .example('weir demo', 'Something to look at in a browser or with curl'),
  handler: async ({ listen }) => {
    const servers = await Promise.all(['ada', 'bob', 'cleo'].map(startSample))
    const admin = `127.0.0.1:${(await canListen(USUAL_ADMIN_PORT)) || (await canListen(0))}`
    const input = {
      workers: 2,
      admin: { bind: admin },
      listeners: { web: { bind: [listen], upstream: 'samples' } },
      upstreams: { samples: { servers: servers.map(({ name, port }) => ({ name, address: `127.0.0.1:${port}` })) } },
    }
    const running = await runLoaded({ loaded: configFromInput(input, '<demo>'), module: null }, null)
    const address = running?.addresses[0]?.split(' ')[0]
    if (address !== undefined) process.stdout.write(whatToTry(address, admin))
  },
}

async function startSample(name: string): Promise<{ name: string; port: number }> {
  const server: Server = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/plain; charset=utf-8')
    response.end(
      `hello from ${name}\nyou asked for ${request.method} ${request.url}\nyour address is ${request.headers['x-forwarded-for']}\n`,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { name, port: (server.address() as AddressInfo).port }
}

/** The port that a server could listen at just now; 0 when that one is taken. */
function canListen(port: number): Promise<number> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(0))
    server.listen(port, '127.0.0.1', () => {
      const { port: found } = server.address() as AddressInfo
      server.close(() => resolve(found))
    })
  })
}

function whatToTry(address: string, admin: string): string {
  const url = `${address.replace(/127\.0\.0\.1|\*/, 'localhost')}/`
  return `
Three sample servers (ada, bob, cleo) are behind ${url}
The dashboard is at http://${admin}/, metrics for Prometheus at http://${admin}/metrics
Try, in another terminal:

  curl -i ${url}
  for i in 1 2 3 4 5 6; do curl -s ${url} | head -1; done
  weir top        # or: node dist/main.js top

Ctrl-C ends the demo.
`
}
