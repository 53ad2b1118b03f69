import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Systemd, watchdogUs } from '../../../src/primary/systemd.ts'

const pid = 4711

function systemd(env: Record<string, string>, send?: () => void) {
  const said: string[] = []
  const lines: string[] = []
  const service = new Systemd({
    env,
    pid,
    send: (path, text) => {
      said.push(`${path}: ${text}`)
      send?.()
    },
    log: (line) => lines.push(line),
    monotonicUs: () => 123_456n,
  })
  return { service, said, lines }
}

test('systemd is told each step, in its own words', () => {
  const { service, said } = systemd({ NOTIFY_SOCKET: '/run/systemd/notify' })
  service.ready('2 workers\nREADY=0')
  service.reloading()
  service.mainPid(99)
  service.stopping(25_000)
  service.stopping(0)
  assert.deepEqual(
    said.map((text) => text.replace('/run/systemd/notify: ', '')),
    [
      'READY=1\nSTATUS=2 workers READY=0',
      'RELOADING=1\nMONOTONIC_USEC=123456\nSTATUS=reloading',
      'MAINPID=99',
      'STOPPING=1\nSTATUS=finishing what is there\nEXTEND_TIMEOUT_USEC=25000000',
      'STOPPING=1\nSTATUS=finishing what is there',
    ],
  )
})

test('without systemd nothing is said', () => {
  for (const env of [{}, { NOTIFY_SOCKET: '' }, { NOTIFY_SOCKET: 'relative' }] as Record<string, string>[]) {
    const { service, said } = systemd({ ...env, WATCHDOG_USEC: '10' })
    service.ready('x')
    service.startWatchdog()
    assert.equal(service.isThere, false)
    assert.deepEqual(said, [])
  }
})

test('abstract sockets are passed on as they are', () => {
  const { service, said } = systemd({ NOTIFY_SOCKET: '@weir' })
  service.status('well')
  assert.deepEqual(said, ['@weir: STATUS=well'])
})

test('the watchdog is fed twice per interval, and only while all is well', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { service, said } = systemd({ NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '20000000', WATCHDOG_PID: String(pid) })
  let isWell = true
  service.startWatchdog(() => isWell)
  t.mock.timers.tick(20_000)
  assert.deepEqual(said, Array(3).fill('/n: WATCHDOG=1'))
  isWell = false
  t.mock.timers.tick(20_000)
  assert.equal(said.length, 3)
  isWell = true
  service.stopWatchdog()
  t.mock.timers.tick(20_000)
  assert.equal(said.length, 3)
})

test('a watchdog that is meant for another process, or none, is not fed', () => {
  assert.equal(watchdogUs({ env: { WATCHDOG_USEC: '20', WATCHDOG_PID: '1' }, pid }), null)
  assert.equal(watchdogUs({ env: { WATCHDOG_USEC: '0' }, pid }), null)
  assert.equal(watchdogUs({ env: { WATCHDOG_USEC: 'x' }, pid }), null)
  assert.equal(watchdogUs({ env: {}, pid }), null)
  assert.equal(watchdogUs({ env: { WATCHDOG_USEC: '20' }, pid }), 20)
})

test('that systemd does not hear is logged once', () => {
  const { service, lines } = systemd({ NOTIFY_SOCKET: '/n' }, () => {
    throw new Error('ECONNREFUSED')
  })
  service.status('a')
  service.status('b')
  assert.deepEqual(lines, ['systemd does not hear: ECONNREFUSED'])
})
