// A cookie binds a client to a server: over workers, restarts and drains, and only as long as the server serves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Balancer, startBalancer } from './lib/balancer.ts'
import { ask, headerOf, type Response } from './lib/client.ts'
import { file } from './lib/file-scope.ts'
import { freePort } from './lib/listening.ts'
import { answers, byPath, type Member, members, tally } from './lib/member.ts'
import { type Scope, until } from './lib/wait.ts'

const CHECK = {
  http: '/health',
  softStop: 404,
  interval: '500ms',
  fastInterval: '50ms',
  downInterval: '100ms',
  timeout: '500ms',
  fall: 2,
  rise: 2,
}
const [plain, mortal, checked] = (await Promise.all(['abc', 'abc', 'abc'].map((names) => members(file, names)))) as [
  Member[],
  Member[],
  Member[],
]
const dead = `127.0.0.1:${await freePort()}`
const addressesOf = (servers: readonly Member[]) => servers.map(({ address }) => address)
const sticky = { cookie: 'server', ttl: '90s' }
const upstreams = {
  plain: { servers: addressesOf(plain), sticky },
  usual: { servers: addressesOf(plain), sticky: {} },
  // Under weights that another config changes.
  weighed: { servers: plain.map(({ address, name }) => ({ address, name })), sticky },
  mortal: { servers: addressesOf(mortal), sticky },
  checked: { servers: addressesOf(checked), sticky, health: CHECK },
  halfDead: { servers: [dead, plain[0]?.address], balance: 'first', sticky },
  full: { servers: plain.map(({ address }) => ({ address, maxConnections: 1 })), sticky },
  secret: { servers: addressesOf(plain), sticky: { ...sticky, secret: 'sixteen characters of it' } },
}
const weir = await startBalancer(file, byPath(upstreams), { workers: 2 })

const setCookies = (response: Response) =>
  response.headers.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)

/** What the client sends back: `name=value`. */
function cookieOf(response: Response): string {
  const all = setCookies(response)
  assert.equal(all.length, 1, `one cookie, and not ${JSON.stringify(all)}`)
  return (all[0] as string).split(';')[0] as string
}

const visit = (t: Scope, balancer: Balancer, path: string, cookie?: string) =>
  ask(t, balancer.port(), `GET ${path}`, cookie === undefined ? {} : { Cookie: cookie })

/** A cookie that binds to this server. */
async function cookieFor(t: Scope, balancer: Balancer, path: string, name: string): Promise<string> {
  const response = await until(async () => {
    const one = await visit(t, balancer, path)
    return one.text === name ? one : undefined
  })
  return cookieOf(response)
}

/** The client with this cookie is always answered by this server, and gets no further cookie. */
async function isBound(t: Scope, balancer: Balancer, path: string, cookie: string, name: string): Promise<void> {
  for (let i = 0; i < 12; i++) {
    const response = await visit(t, balancer, path, cookie)
    assert.equal(response.text, name)
    assert.deepEqual(setCookies(response), [])
  }
}

test('a client without a cookie gets one, with its attributes; a client that has it gets none', async (t) => {
  const response = await visit(t, weir, '/plain')
  assert.match(setCookies(response).join('\n'), /^server=[\w-]{22}; Path=\/; Max-Age=90; HttpOnly; SameSite=Lax$/)
  await isBound(t, weir, '/plain', cookieOf(response), response.text)
  assert.match(setCookies(await visit(t, weir, '/usual')).join('\n'), /^weir=[\w-]{22}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/)
})

test('every server has its cookie, which is found among others and holds in every worker', async (t) => {
  const cookies = new Set<string>()
  for (const name of 'abc') {
    const cookie = await cookieFor(t, weir, '/plain', name)
    cookies.add(cookie)
    await isBound(t, weir, '/plain', `theme=dark; ${cookie}; xserver=nonsense`, name)
  }
  assert.equal(cookies.size, 3)
})

test('a cookie says nothing of the server, and holds for its upstream only', async (t) => {
  const cookie = await cookieFor(t, weir, '/plain', 'a')
  const raw = Buffer.from(cookie.slice('server='.length), 'base64url')
  assert.equal(raw.length, 16)
  assert.ok(!raw.includes('a.') && !raw.includes(String(plain[0]?.port)))
  assert.notEqual(cookie, await cookieFor(t, weir, '/weighed', 'a'))
  assert.equal(setCookies(await visit(t, weir, '/weighed', cookie)).length, 1)
})

test('a cookie that is forged, cut or empty binds to nobody and is replaced', async (t) => {
  const cookie = await cookieFor(t, weir, '/plain', 'b')
  const last = cookie.at(-1) === 'A' ? 'Q' : 'A'
  for (const forged of [
    `${cookie.slice(0, -1)}${last}`,
    cookie.slice(0, -1),
    `${cookie}A`,
    'server=',
    'server=b',
    `server=${plain[1]?.address}`,
    `server=${'x'.repeat(4_000)}`,
  ]) {
    const names: string[] = []
    for (let i = 0; i < 10; i++) {
      const response = await visit(t, weir, '/plain', forged)
      assert.match(cookieOf(response), /^server=[\w-]{22}$/)
      names.push(response.text)
    }
    assert.ok(Object.keys(tally(names)).length > 1, `${forged.slice(0, 40)}: ${names}`)
  }
})

test('a client whose server is gone gets another one and its cookie, at once and after the verdict of a check', async (t) => {
  for (const { path, servers } of [
    { path: '/mortal', servers: mortal },
    { path: '/checked', servers: checked },
  ]) {
    const cookie = await cookieFor(t, weir, path, 'a')
    await servers[0]?.stop()
    if (servers === checked) await until(() => new RegExp(`checked/${checked[0]?.address} is down`).test(weir.log()))
    const response = await visit(t, weir, path, cookie)
    assert.equal(response.status, 200)
    assert.match(response.text, /^[bc]$/)
    await isBound(t, weir, path, cookieOf(response), response.text)
    await servers[0]?.start()
  }
})

test('a client whose first choice refused gets one cookie: that of the server that answered', async (t) => {
  for (let i = 0; i < 4; i++) {
    const response = await visit(t, weir, '/halfDead')
    assert.equal(response.text, 'a')
    await isBound(t, weir, '/halfDead', cookieOf(response), 'a')
  }
})

test('a client whose server is full goes to another one', async (t) => {
  const [a] = plain as [Member]
  const cookie = await cookieFor(t, weir, '/full', 'a')
  let release = () => {}
  a.handle = (_req, res) => {
    release = () => void res.end('a')
  }
  a.forget()
  const busy = visit(t, weir, '/full', cookie)
  await until(() => a.inHand === 1)
  a.handle = answers(200, 'a')
  assert.match((await visit(t, weir, '/full', cookie)).text, /^[bc]$/)
  release()
  assert.equal((await busy).text, 'a')
  await until(async () => (await visit(t, weir, '/full', cookie)).text === 'a')
})

test('a server that drains keeps its users and gets no new ones', async (t) => {
  const [a] = checked as [Member]
  await until(async () => (await visit(t, weir, '/checked')).text === 'a')
  const cookie = await cookieFor(t, weir, '/checked', 'a')
  a.checked = answers(404)
  await until(() => new RegExp(`checked/${a.address} is draining`).test(weir.log()))
  await isBound(t, weir, '/checked', cookie, 'a')
  for (let i = 0; i < 12; i++) assert.match((await visit(t, weir, '/checked')).text, /^[bc]$/)
  a.checked = answers(503)
  await until(async () => (await visit(t, weir, '/checked', cookie)).text !== 'a')
})

test('a cookie outlives a restart, a weight of 0, and holds on balancers with the same secret', async (t) => {
  const cookie = await cookieFor(t, weir, '/weighed', 'a')
  const secret = await cookieFor(t, weir, '/secret', 'b')
  const weighed = { sticky, servers: plain.map(({ address, name }) => ({ address, name, weight: name === 'a' ? 0 : 1 })) }
  const other = { ...upstreams.secret, sticky: { ...sticky, secret: 'sixteen other characters' } }
  const next = await startBalancer(t, byPath({ ...upstreams, weighed, other }), { workers: 2 })
  await isBound(t, next, '/weighed', cookie, 'a')
  for (let i = 0; i < 12; i++) assert.match((await visit(t, next, '/weighed')).text, /^[bc]$/)
  await isBound(t, next, '/secret', secret, 'b')
  assert.equal(headerOf(await visit(t, next, '/other', secret), 'set-cookie') === undefined, false)
})
