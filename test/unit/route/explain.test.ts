import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explainConnection, explainRoutes } from '../../../src/worker/route/explain.ts'
import { compileRouter } from '../../../src/worker/route/router.ts'
import { head, prefix, regex, route } from './fixtures.ts'

const router = compileRouter([
  route({}, 'rest'),
  route({ host: ['b'] }, 'other host'),
  route({ path: prefix('/x') }, 'other path'),
  route({ path: prefix('/a'), method: ['POST'], header: { k: 'v' } }, 'condition'),
  route({ path: regex('^/a/[0-9]') }, 'regex'),
  route({ path: prefix('/a') }, 'prefix'),
])

test('every route has a verdict and a reason, in the order of the lookup', () => {
  const explained = explainRoutes(router, 'h', '/a/b', head())
  assert.deepEqual(
    explained.map(({ route, verdict, failed }) => [route.config.place.path, verdict, failed]),
    [
      ['other host', 'skipped', 'host'],
      ['regex', 'skipped', 'path'],
      ['condition', 'skipped', 'condition'],
      ['other path', 'skipped', 'path'],
      ['prefix', 'chosen', null],
      ['rest', 'not-reached', null],
    ],
  )
  assert.deepEqual(explained[2]?.reasons, ['wants method POST, method is GET', 'wants header k "v", header k is absent'])
})

test('the chosen route is the one that the lookup finds', () => {
  for (const host of ['h', 'b', 'b.']) {
    for (const path of ['/', '/a', '/a/1', '/x/y', '/ax', '*']) {
      for (const method of ['GET', 'POST']) {
        const reader = head({ method, headers: { k: 'v' } })
        const chosen = explainRoutes(router, host, path, reader).find(({ verdict }) => verdict === 'chosen')
        assert.equal(chosen?.route, router.hostRoutes(host).find(path, reader))
      }
    }
  }
})

test('a connection is explained by its server name', () => {
  const connections = compileRouter([
    route({}, 'rest'),
    route({ sni: ['*.a'], alpn: ['h2'] }, 'h2'),
    route({ sni: ['*.a'] }, 'wild'),
    route({ sni: ['b'] }, 'exact'),
  ])
  const explained = explainConnection(connections, head({ sni: 'x.a' }))
  assert.deepEqual(
    explained.map(({ route, match, verdict, reasons }) => [route.config.place.path, match, verdict, ...reasons]),
    [
      ['exact', 'sni b', 'skipped', 'sni is x.a'],
      ['h2', 'sni *.a, alpn h2', 'skipped', 'wants alpn h2, alpn is absent'],
      ['wild', 'sni *.a', 'chosen'],
      ['rest', 'any connection', 'not-reached'],
    ],
  )
})
