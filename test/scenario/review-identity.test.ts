// Nothing that an untrusted client says about who it is, how it came and what it was asked for reaches a server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBalancer } from './lib/balancer.ts'
import { ask } from './lib/client.ts'
import { config } from './lib/config.ts'
import { answering, response } from './lib/raw-server.ts'

const SPOOFED = {
  'X-Forwarded-Prefix': '/evil',
  'X-Forwarded-Ssl': 'on',
  'X-Forwarded-Server': 'evil',
  'X-Forwarded-Scheme': 'https',
  'X-Forwarded-By': 'evil',
  // Many servers turn both '-' and '_' into '_' (CGI, WSGI, PHP): to them these are X-Forwarded-For and X-Real-Ip.
  X_Forwarded_For: 'evil',
  'X-Forwarded_For': 'evil',
  X_Real_IP: 'evil',
}

for (const name of Object.keys(SPOOFED)) {
  test(`${name} from a client that is not trusted is dropped`, async (t) => {
    const server = await answering(t, response('fine'))
    const weir = await startBalancer(t, config({ servers: [server.address] }))
    await ask(t, weir.port(), 'GET /', { [name]: SPOOFED[name as keyof typeof SPOOFED] })
    assert.doesNotMatch(server.heads[0] ?? '', new RegExp(`^${name}:`, 'im'))
  })
}
