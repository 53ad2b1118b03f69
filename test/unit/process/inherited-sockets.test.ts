import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handedSockets, InheritedSockets, inheritedSockets, type SocketAddress } from '../../../src/primary/inherited-sockets.ts'
import { parseBindAddress } from '../../../src/shared/config/address.ts'
import type { BindAddress } from '../../../src/shared/config/model.ts'

const pid = 4711
const table: Record<number, SocketAddress> = {
  3: { host: '::', port: 8080 },
  4: { host: '127.0.0.1', port: 9000 },
  5: { path: '/run/web.sock' },
  6: { host: '0:0:0:0:0:0:0:1', port: 443 },
}
const addressOf = (fd: number) => table[fd] ?? null
const env = (count: string, of = String(pid), names = '') => ({ LISTEN_FDS: count, LISTEN_PID: of, LISTEN_FDNAMES: names, HOME: '/' })

function bind(text: string): BindAddress {
  const result = parseBindAddress(text)
  assert.ok(result.ok)
  return result.value
}

function fromSystemd(count: number): InheritedSockets {
  return new InheritedSockets(inheritedSockets(env(String(count)), pid, addressOf))
}

test('sockets of systemd begin at descriptor 3 and carry their names', () => {
  const variables = env('3', String(pid), 'web:db')
  const sockets = inheritedSockets(variables, pid, addressOf)
  assert.deepEqual(
    sockets.map(({ fd, name, owner }) => [fd, name, owner]),
    [
      [3, 'web', 'systemd'],
      [4, 'db', 'systemd'],
      [5, '', 'systemd'],
    ],
  )
  assert.deepEqual(variables, { HOME: '/' }, 'children would take the sockets for theirs')
})

test('sockets that are meant for another process are not touched, nor is what is no number', () => {
  for (const variables of [env('2', '1'), env('2', ''), env('-1'), env('x'), env(''), {}]) {
    assert.deepEqual(inheritedSockets(variables, pid, addressOf), [])
    assert.equal('LISTEN_FDS' in variables, false)
  }
})

test('what is no listening socket is left out', () => {
  assert.equal(inheritedSockets(env('9'), pid, addressOf).length, 4)
})

test('an address finds the socket that is bound to it, once', () => {
  const sockets = fromSystemd(4)
  assert.deepEqual(sockets.take(bind('127.0.0.1:9000')), { fd: 4, port: 9000, owner: 'systemd' })
  assert.equal(sockets.take(bind('127.0.0.1:9000')), null)
  assert.deepEqual(sockets.take(bind('unix:/run/web.sock')), { fd: 5, port: 0, owner: 'systemd' })
  assert.deepEqual(sockets.take(bind('[::1]:443')), { fd: 6, port: 443, owner: 'systemd' })
  assert.deepEqual(sockets.take(bind(':8080')), { fd: 3, port: 8080, owner: 'systemd' })
})

test('another port, host, path or kind is another socket', () => {
  const sockets = fromSystemd(4)
  for (const text of ['127.0.0.1:9001', '127.0.0.2:9000', '0.0.0.0:8080', 'unix:/run/web', '127.0.0.1:0', '[::2]:443'])
    assert.equal(sockets.take(bind(text)), null, text)
  assert.equal(sockets.take(bind('localhost:9000'))?.fd, 4)
})

test('a socket of the weir before is found by what it was opened for, also where the system chose the port', () => {
  const handed = [
    { fd: 3, bind: ':0', owner: 'weir' as const },
    { fd: 4, bind: '127.0.0.1:0', owner: 'systemd' as const },
    { fd: 99, bind: ':1', owner: 'weir' as const },
  ]
  const sockets = new InheritedSockets(handedSockets(handed, addressOf))
  assert.deepEqual(sockets.take(bind('127.0.0.1:0')), { fd: 4, port: 9000, owner: 'systemd' })
  assert.deepEqual(sockets.take(bind(':0')), { fd: 3, port: 8080, owner: 'weir' })
  assert.equal(sockets.take(bind(':0')), null)
})

test('what nobody takes is closed, with a line that says which', () => {
  const sockets = new InheritedSockets(inheritedSockets(env('4', String(pid), 'web'), pid, addressOf))
  sockets.take(bind('127.0.0.1:9000'))
  const [closed, lines]: [number[], string[]] = [[], []]
  sockets.closeRest(
    (fd) => closed.push(fd),
    (line) => lines.push(line),
  )
  assert.deepEqual(closed, [3, 5, 6])
  assert.deepEqual(lines.slice(0, 2), [
    'inherited socket [::]:8080 from systemd (web) is closed: no listener has this address',
    'inherited socket unix:/run/web.sock from systemd is closed: no listener has this address',
  ])
  assert.equal(sockets.take(bind(':8080')), null)
})
