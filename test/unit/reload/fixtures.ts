import assert from 'node:assert/strict'
import { planOf } from '../../../src/primary/reload/plan.ts'
import { configFromInput } from '../../../src/shared/config/load.ts'
import type { Config } from '../../../src/shared/config/model.ts'
import { problemLine } from '../../../src/shared/config/problem.ts'
import type { ConfigInput } from '../../../src/shared/config/schema.ts'
import type { PlanStep } from '../../../src/shared/control/data.ts'

/** The config of a value that has to be valid. */
export function built(input: unknown): Config {
  const result = configFromInput(input as ConfigInput, 'test', {})
  assert.ok(result.ok, result.ok ? '' : result.problems.map(problemLine).join('\n'))
  return result.config
}

/** Every listener has 7 connections, every server 3 exchanges in flight. */
export const load = { listener: () => 7, server: () => 3 }

export function steps(before: unknown, after: unknown): PlanStep[] {
  return planOf(built(before), built(after), load)
}

/** Steps as one line each: `drains remove 3: server api/a removed`. */
export function lines(before: unknown, after: unknown): string[] {
  return steps(before, after).map(({ how, what, connections, text }) => `${how} ${what} ${connections}: ${text}`)
}

const handshake = {
  minVersion: '1.2',
  maxVersion: '1.3',
  ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
  cipherSuites: 'TLS_AES_128_GCM_SHA256',
  groups: 'X25519',
}
const otherHandshake = {
  'tls.ciphers': 'ECDHE-ECDSA-AES128-GCM-SHA256',
  'tls.cipherSuites': 'TLS_AES_256_GCM_SHA384',
  'tls.groups': 'P-256',
}

/** A config in which every option of the schema is given that a change can be made of. */
export function everyOption(): Record<string, unknown> {
  return {
    workers: 2,
    zone: 'z',
    control: { socket: '/run/a.sock' },
    admin: { bind: '127.0.0.1:9900', token: 'abcdefghijklmnop', viewToken: 'ponmlkjihgfedcba', hosts: ['weir.test'] },
    user: 'nobody',
    group: 'nogroup',
    pidFile: '/run/weir.pid',
    shutdown: { grace: '60s', delay: '1s', spread: '2s' },
    errorPages: { 503: { body: 'sorry', contentType: 'text/plain' } },
    log: {
      access: { to: '/tmp/a.log', format: 'json', fields: ['time', 'status'], headers: ['x-a'], redactQuery: ['t'], sample: '50%' },
    },
    tracing: { otlp: 'http://127.0.0.1:4318/v1/traces', share: '20%', serviceName: 'edge', headers: { 'X-Token': 'abc' } },
    listeners: {
      web: {
        bind: ['127.0.0.1:8080'],
        proxyProtocol: 'off',
        trustedProxies: ['10.0.0.0/8'],
        forwardedHeaders: ['x-real-ip'],
        serverTiming: 'off',
        proxyStatus: 'off',
        limits: { connections: 10, connectionsPerIp: 5, headerBytes: '16KiB', headers: 100, bodyBytes: '1MiB' },
        timeouts: { header: '10s', body: '30s', keepAlive: '75s', write: '60s' },
        errorPages: { 503: { body: 'sorry', contentType: 'text/plain' } },
        routes: [
          {
            match: { host: 'a.b' },
            upstream: 'api',
            rewrite: { stripPrefix: '/x', addPrefix: '/y', regex: { pattern: 'a', to: 'b' } },
            headers: {
              request: { set: { 'X-A': 'a' }, add: { 'X-B': 'b' }, remove: ['X-C'] },
              response: { set: { 'X-A': 'a' }, add: { 'X-B': 'b' }, remove: ['X-C'] },
            },
            host: 'server',
            timeouts: { connect: '1s', firstByte: '1s', idle: '1s', tunnel: '1s', total: '1m' },
            retry: { attempts: 1, on: ['connect'], statuses: [503] },
            errorPages: { 503: { body: 'sorry', contentType: 'text/plain' } },
            onRequest: () => undefined,
            pick: () => undefined,
          },
          { match: { host: 'b.b' }, split: { api: '90%', other: '10%' } },
          { match: { host: 'c.b' }, redirect: { to: '/x', status: 307 } },
          { match: { host: 'd.b' }, answer: { status: 200, body: 'a', contentType: 'text/plain', headers: { 'X-A': 'a' } } },
        ],
      },
      secure: {
        bind: ['127.0.0.1:8443'],
        protocol: 'https',
        tls: {
          certificates: [{ cert: 'a.pem', key: 'a.key' }],
          ...handshake,
          unknownName: 'default',
          alpn: ['http/1.1'],
          tickets: 'on',
          clientAuth: { mode: 'optional', ca: 'a.pem', headers: { subject: 'X-A', fingerprint: 'X-B' } },
        },
        timeouts: { handshake: '10s' },
        routes: [{ match: { host: 'a.b' }, upstream: 'api' }],
      },
      issued: {
        bind: ['127.0.0.1:8444'],
        protocol: 'https',
        tls: {
          acme: {
            email: 'a@b.test',
            domains: ['a.test'],
            directory: 'https://a.test/',
            directoryCa: 'a.pem',
            storage: '/a',
            challenge: 'tls-alpn-01',
            renewBefore: '30%',
            agreeToTerms: true,
          },
        },
        upstream: 'other',
      },
      inner: { bind: ['127.0.0.1:8445'], protocol: 'https', tls: { internal: { names: ['a.test'], storage: '/a' } }, upstream: 'other' },
      plain: { bind: ['127.0.0.1:8446'], upstream: 'other' },
      raw: {
        bind: ['127.0.0.1:8081'],
        protocol: 'tcp',
        routes: [{ match: { port: 8081 }, upstream: 'other', onConnection: () => undefined }],
      },
    },
    upstreams: {
      api: {
        balance: 'consistent-hash',
        hash: { key: 'header:x-user', table: 'ring', boundedLoad: 1.25 },
        servers: [
          { name: 'a', address: '10.0.0.1:80', weight: 2, maxConnections: 9, tier: 0, zone: 'z' },
          { name: 'b', address: '10.0.0.2:80' },
        ],
        health: {
          http: '/',
          method: 'GET',
          host: 'h',
          headers: { 'X-A': 'b' },
          status: ['200-299', 301],
          body: { regex: 'x' },
          softStop: 404,
          port: 81,
          interval: '10s',
          fastInterval: '1s',
          downInterval: '5s',
          timeout: '1s',
          rise: 1,
          fall: 2,
          initial: 'up',
        },
        agent: { port: 1, interval: '10s', timeout: '1s' },
        passiveHealth: {
          failures: 1,
          ratio: '10%',
          minimum: 5,
          window: '5s',
          ejectFor: '5s',
          maxEjectFor: '60s',
          maxEjected: '10%',
          status: 500,
          latency: '1s',
        },
        slowStart: '5s',
        sticky: { cookie: 'c', ttl: '1h', secret: '0123456789abcdef' },
        queue: { max: 1, timeout: '1s' },
        hold: { max: 1, timeout: '1s' },
        limits: { inFlight: 10 },
        breaker: { errors: '10%', latency: '1s', minimum: 5, window: '5s', open: '5s', ramp: '5s' },
        hedge: { after: '1s' },
        keepAlive: { idle: 5, idleTimeout: '5s' },
        timeouts: { connect: '1s', firstByte: '1s', idle: '1s', tunnel: '1s', total: '10s' },
        retry: {
          attempts: 1,
          on: ['connect'],
          statuses: [503],
          budget: '10%',
          maxTime: '5s',
          backoff: { base: '1ms', max: '20ms' },
          replayBytes: '1KiB',
        },
        responseHeaderBytes: '16KiB',
        sendProxyProtocol: 'off',
        tls: {
          verify: true,
          ca: 'a.pem',
          serverName: 'a.test',
          certificate: { cert: 'a.pem', key: 'a.key' },
          ...handshake,
        },
      },
      other: { servers: ['10.0.1.1:80', { address: '10.0.1.2:80', zone: 'y' }, { address: '10.0.1.3:80', zone: 'z' }] },
    },
  }
}

export type Key = string | number

/** Another value for each option of `everyOption`, and the class that the schema says. */
export const otherValues: [keys: Key[], value: unknown, how: PlanStep['how']][] = [
  [['workers'], 3, 'restart'],
  [['zone'], 'y', 'live'],
  [['control', 'socket'], '/run/b.sock', 'restart'],
  ...(
    [
      ['bind', '127.0.0.1:9901'],
      ['token', 'qrstuvwxyzabcdef'],
      ['viewToken', 'fedcbazyxwvutsrq'],
      ['hosts', ['other.test']],
    ] as const
  ).map(([key, value]): (typeof otherValues)[number] => [['admin', key], value, 'restart']),
  [['user'], 'daemon', 'restart'],
  [['group'], 'daemon', 'restart'],
  [['pidFile'], '/run/other.pid', 'restart'],
  [['shutdown', 'grace'], '70s', 'live'],
  [['shutdown', 'delay'], '3s', 'live'],
  [['shutdown', 'spread'], '4s', 'live'],
  ...pages(['errorPages']),
  ...options(['log', 'access'], {
    to: 'stdout',
    format: 'combined',
    fields: ['time'],
    headers: ['x-b'],
    redactQuery: ['u'],
    sample: '60%',
  }),
  ...options(['tracing'], { otlp: 'http://127.0.0.1:4319/', share: '30%', serviceName: 'inner', headers: { 'X-Token': 'def' } }),
  ...options(['listeners', 'web'], {
    proxyProtocol: 'on',
    trustedProxies: ['10.0.0.0/16'],
    forwardedHeaders: ['x-forwarded-for'],
    serverTiming: 'on',
    proxyStatus: 'on',
    'limits.connections': 11,
    'limits.connectionsPerIp': 'none',
    'limits.headerBytes': '8KiB',
    'limits.headers': 101,
    'limits.bodyBytes': 'none',
    'timeouts.header': '1s',
    'timeouts.body': '1500ms',
    'timeouts.keepAlive': '1m',
    'timeouts.write': '2m',
  }),
  ...pages(['listeners', 'web', 'errorPages']),
  ...options(['listeners', 'web', 'routes', 0], {
    upstream: 'other',
    'rewrite.stripPrefix': '/z',
    'rewrite.addPrefix': '/z',
    'rewrite.regex.pattern': 'z',
    'rewrite.regex.to': 'z',
    'headers.request.set': { 'X-A': 'z' },
    'headers.request.add': { 'X-B': 'z' },
    'headers.request.remove': [],
    'headers.response.set': {},
    'headers.response.add': { 'X-B': 'z' },
    'headers.response.remove': ['X-Z'],
    host: 'preserve',
    'timeouts.connect': '2s',
    'timeouts.firstByte': '2s',
    'timeouts.idle': '2s',
    'timeouts.tunnel': '2s',
    'timeouts.total': 'none',
    'retry.attempts': 2,
    'retry.on': ['unsent'],
    'retry.statuses': [504],
    onRequest: () => null,
    pick: () => null,
  }),
  ...pages(['listeners', 'web', 'routes', 0, 'errorPages']),
  ...options(['listeners', 'web', 'routes', 1], { split: { api: '80%', other: '20%' } }),
  ...options(['listeners', 'web', 'routes', 2], { 'redirect.to': '/y', 'redirect.status': 308 }),
  ...options(['listeners', 'web', 'routes', 3], {
    'answer.status': 201,
    'answer.body': 'b',
    'answer.contentType': 'text/html',
    'answer.headers': { 'X-A': 'b' },
  }),
  ...options(['listeners', 'secure'], {
    ...otherHandshake,
    'tls.unknownName': 'reject',
    'tls.alpn': [],
    'tls.tickets': 'off',
    'tls.clientAuth.mode': 'required',
    'tls.clientAuth.ca': 'b.pem',
    'tls.clientAuth.headers.subject': 'X-C',
    'tls.clientAuth.headers.fingerprint': 'X-D',
    'timeouts.handshake': '9s',
  }),
  ...options(['listeners', 'issued', 'tls', 'acme'], {
    email: 'c@b.test',
    domains: ['b.test'],
    directory: 'https://b.test/',
    directoryCa: 'b.pem',
    storage: '/b',
    challenge: 'http-01',
    renewBefore: '40%',
  }),
  ...options(['listeners', 'inner', 'tls', 'internal'], { names: ['b.test'], storage: '/b' }),
  [['listeners', 'raw', 'protocol'], 'tls', 'drains'],
  [['listeners', 'raw', 'routes', 0, 'onConnection'], () => null, 'live'],
  [['upstreams', 'api', 'servers', 0, 'address'], '10.0.0.9:80', 'drains'],
  ...options(['upstreams', 'api', 'servers', 0], { weight: 3, maxConnections: 8, zone: 'y' }),
  [['upstreams', 'api', 'servers', 1, 'tier'], 1, 'live'],
  ...options(['upstreams', 'api'], {
    balance: 'round-robin',
    'hash.key': 'path',
    'hash.table': 'maglev',
    'hash.boundedLoad': 'off',
    'health.http': '/z',
    'health.method': 'OPTIONS',
    'health.host': 'i',
    'health.headers': {},
    'health.status': 200,
    'health.body': 'z',
    'health.body.regex': 'z',
    'health.softStop': 410,
    'health.port': 82,
    'health.interval': '11s',
    'health.fastInterval': '2s',
    'health.downInterval': '6s',
    'health.timeout': '2s',
    'health.rise': 2,
    'health.fall': 3,
    'health.initial': 'down',
    'agent.port': 2,
    'agent.interval': '11s',
    'agent.timeout': '2s',
    'passiveHealth.failures': 2,
    'passiveHealth.ratio': '20%',
    'passiveHealth.minimum': 6,
    'passiveHealth.window': '6s',
    'passiveHealth.ejectFor': '6s',
    'passiveHealth.maxEjectFor': '70s',
    'passiveHealth.maxEjected': '20%',
    'passiveHealth.status': [500, 502],
    'passiveHealth.latency': 'off',
    slowStart: 'off',
    'sticky.cookie': 'd',
    'sticky.ttl': '2h',
    'sticky.secret': 'another0123456789',
    'queue.max': 2,
    'queue.timeout': '2s',
    'hold.max': 2,
    'hold.timeout': '2s',
    'limits.inFlight': 20,
    'breaker.errors': '20%',
    'breaker.latency': 'off',
    'breaker.minimum': 6,
    'breaker.window': '6s',
    'breaker.open': '6s',
    'breaker.ramp': '6s',
    'hedge.after': '2s',
    'keepAlive.idle': 6,
    'keepAlive.idleTimeout': '6s',
    'timeouts.connect': '2s',
    'timeouts.firstByte': '2s',
    'timeouts.idle': '2s',
    'timeouts.tunnel': '2s',
    'timeouts.total': 'none',
    'retry.attempts': 2,
    'retry.on': ['unsent'],
    'retry.statuses': [],
    'retry.budget': '20%',
    'retry.maxTime': '6s',
    'retry.backoff.base': '2ms',
    'retry.backoff.max': '30ms',
    'retry.replayBytes': '2KiB',
    responseHeaderBytes: '8KiB',
    sendProxyProtocol: 'v2',
    ...otherHandshake,
    'tls.ca': 'b.pem',
    'tls.serverName': 'b.test',
    'tls.certificate.cert': 'b.pem',
    'tls.certificate.key': 'b.key',
  }),
]

function options(at: Key[], values: Record<string, unknown>): [Key[], unknown, PlanStep['how']][] {
  return Object.entries(values).map(([path, value]) => [[...at, ...path.split('.')], value, 'live'])
}

function pages(at: Key[]): [Key[], unknown, PlanStep['how']][] {
  return options([...at, '503'], { body: 'z', contentType: 'text/html' })
}

/** Puts a value into a nested one, which is changed. */
export function put(root: unknown, keys: readonly Key[], value: unknown): void {
  const parent = keys.slice(0, -1).reduce((node, key) => (node as Record<Key, unknown>)[key], root)
  ;(parent as Record<Key, unknown>)[keys.at(-1) ?? ''] = value
}
