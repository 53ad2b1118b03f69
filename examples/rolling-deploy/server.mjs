// server.mjs NAME PORT: answers with its name and version.
import { createServer } from 'node:http'

const [name, port] = process.argv.slice(2)
const text = `${name} in version ${process.env.VERSION ?? 1}\n`

const server = createServer((_request, response) => response.end(text))
// The one before may need a moment to leave the port.
server.on('error', () => setTimeout(listen, 100))
process.on('SIGTERM', () => process.exit())

function listen() {
  server.listen(Number(port), '127.0.0.1')
}

listen()
